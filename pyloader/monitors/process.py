"""The process monitor (`bpf/process_monitor.bpf.c`)."""

from pathlib import Path

from pyloader.monitors.ladder import Hook, Monitor, Rung

_KPROBES = Path("/sys/bus/event_source/devices/kprobe")

_IN_PLACE = "credentials that are overwritten in place, until the process next forks or executes"

PROCESS = Monitor(
    name="process",
    object="process_monitor.bpf.o",
    hooks=(
        Hook(
            "exec",
            (
                Rung("tp_btf/sched_process_exec", "exec_btf"),
                Rung("tp/sched/sched_process_exec", "exec_tp", blind_to="whether the file was a script"),
            ),
        ),
        Hook(
            "fork",
            (
                Rung("tp_btf/sched_process_fork", "fork_btf"),
                Rung("tp/sched/sched_process_fork", "fork_tp", blind_to="children made with CLONE_PARENT"),
            ),
        ),
        Hook(
            "exit",
            (
                Rung("tp_btf/sched_process_exit", "exit_btf"),
                Rung("tp/sched/sched_process_exit", "exit_tp"),
            ),
        ),
        Hook(
            "credentials",
            (
                Rung("fentry/commit_creds", "credentials_fentry", blind_to=_IN_PLACE),
                Rung("kprobe/commit_creds", "credentials_kprobe", blind_to=_IN_PLACE, needs=_KPROBES),
                Rung("tp_btf/sched_switch", "credentials_btf", cost="one map look-up per context switch"),
                Rung("tp/sched/sched_switch", "credentials_tp", cost="one map look-up per context switch"),
            ),
        ),
    ),
    untyped_object="process_untyped_monitor.bpf.o",
)
