"""The memory monitor (`bpf/memory_monitor.bpf.c`)."""

from pathlib import Path

from pyloader.monitors.ladder import Hook, Monitor, Rung, none

_KPROBES = Path("/sys/bus/event_source/devices/kprobe")

_OTHER_WORD_SIZE = "32-bit calls, which 64-bit programs can make as well"
_SLOWS_CALLS = "every system call of this host takes the slow way, some 100 ns more"
_SWITCH = "a look at the size of each process that leaves the CPU"


def _system_call(hook: str, *calls: str) -> Hook:
    """Return the ladder of a hook on the exit of system calls, by `AT_EXIT_OF` in the program's source."""
    first, *others = calls

    def beside(suffix: str) -> tuple[str, ...]:
        return tuple(f"{call}_{suffix}" for call in others)

    return Hook(
        hook,
        (
            Rung(f"fexit/sys_{first}", f"{first}_fexit", blind_to=_OTHER_WORD_SIZE, beside=beside("fexit")),
            Rung(
                f"kretprobe/sys_{first}",
                f"{first}_kret",
                blind_to=_OTHER_WORD_SIZE,
                needs=_KPROBES,
                beside=beside("kret"),
            ),
            Rung(
                f"tp/syscalls/sys_exit_{first}",
                f"{first}_tp",
                blind_to=_OTHER_WORD_SIZE,
                cost=_SLOWS_CALLS,
                beside=beside("tp"),
            ),
            none(" and ".join(calls)),
        ),
    )


MEMORY = Monitor(
    name="memory",
    object="memory_monitor.bpf.o",
    hooks=(
        Hook(
            "image",
            (
                Rung("tp_btf/sched_process_exec", "image_btf"),
                Rung("tp/sched/sched_process_exec", "image_tp"),
            ),
        ),
        Hook(
            "fork",
            (
                Rung("tp_btf/sched_process_fork", "fork_btf"),
                Rung("tp/sched/sched_process_fork", "fork_tp"),
            ),
        ),
        Hook(
            "end",
            (
                Rung("tp_btf/sched_process_exit", "end_btf"),
                Rung("tp/sched/sched_process_exit", "end_tp"),
            ),
        ),
        Hook(
            "usage",
            (
                Rung("tp_btf/sched_switch", "usage_btf", cost=_SWITCH),
                Rung("tp/sched/sched_switch", "usage_tp", cost=_SWITCH),
            ),
        ),
        Hook(
            "fault",
            (
                Rung("tp_btf/signal_deliver", "signal_btf"),
                Rung("tp/signal/signal_deliver", "signal_tp", blind_to="addresses of faults other than page faults"),
            ),
        ),
        Hook(
            "oom",
            (
                Rung("tp_btf/mark_victim", "victim_btf"),
                Rung("tp/oom/mark_victim", "victim_tp"),
            ),
        ),
        Hook(
            "connect",
            (
                Rung("tp_btf/inet_sock_set_state", "connect_btf"),
                Rung("tp/sock/inet_sock_set_state", "connect_tp"),
                none("where connections are made from"),
            ),
        ),
        Hook(
            "exec",
            (
                Rung("tp_btf/sched_prepare_exec", "caller_btf"),
                Rung("fentry/security_bprm_check", "caller_fentry"),
                Rung("kprobe/security_bprm_check", "caller_kprobe", needs=_KPROBES),
                Rung(
                    "tp/syscalls/sys_enter_execve",
                    "execve_tp",
                    blind_to=_OTHER_WORD_SIZE,
                    cost=_SLOWS_CALLS,
                    beside=("execveat_tp",),
                ),
                none("where programs are executed from"),
            ),
        ),
        Hook(
            "protect",
            (
                Rung("fentry/security_file_mprotect", "protect_fentry"),
                Rung("kprobe/security_file_mprotect", "protect_kprobe", needs=_KPROBES),
                Rung(
                    "tp/syscalls/sys_enter_mprotect",
                    "protect_tp",
                    blind_to=f"{_OTHER_WORD_SIZE}, and all but the first eight areas of a call",
                    cost=_SLOWS_CALLS,
                    beside=("pkey_protect_tp",),
                ),
                none("memory that becomes executable by mprotect"),
            ),
        ),
        _system_call("map", "mmap"),
        _system_call("attach", "shmat"),
        _system_call("unmap", "munmap"),
        _system_call("break", "brk"),
        _system_call("move", "mremap"),
        _system_call("remap", "remap_file_pages"),
        _system_call("ptrace", "ptrace"),
        _system_call("transfer", "process_vm_writev", "process_vm_readv"),
        Hook(
            "memory file",
            (
                Rung("fexit/mem_open", "memory_open_fexit", beside=("memory_write_fentry",)),
                Rung("kprobe/mem_open", "memory_open_kprobe", needs=_KPROBES, beside=("memory_write_kprobe",)),
                Rung(
                    "tp/syscalls/sys_exit_openat",
                    "openat_tp",
                    blind_to=f"where write(2) writes to, and {_OTHER_WORD_SIZE}",
                    cost=_SLOWS_CALLS,
                    beside=("open_tp", "openat2_tp", "pwrite64_tp"),
                ),
                none("/proc/PID/mem"),
            ),
        ),
        _system_call("userfaultfd", "userfaultfd"),
        _system_call("memfd", "memfd_create"),
    ),
    untyped_object="memory_untyped_monitor.bpf.o",
)
