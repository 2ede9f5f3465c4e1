// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The memory monitor: what processes do with their memory and with that of others.
 *
 * The observations are in the headers, each of one idea; here stand the hooks. A system call is observed by a program on
 * the function behind it (fentry, or a kprobe where that is refused), or else by its tracepoint, which makes every system
 * call of the host slower: the last rung. pyloader/monitors/memory.py declares the ladders.
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "area.bpf.h"
#include "charge.bpf.h"
#include "deliver.bpf.h"
#include "exposure.bpf.h"
#include "registers.bpf.h"
#include "task.bpf.h"

enum { AREA, CODE, STACK, REGIONS };

struct scratch {
	struct tree_walk walk;
	struct region regions[REGIONS]; /* what a record is about, where the code is, and the stack */
	struct exposure_scan exposure;
	volatile __u32 flags;
	union {
		struct memory_protection protection;
		struct memory_request request;
		struct memory_fault fault;
		struct call_origin origin;
	};
};
#define WORKSPACES 3
#include "workspace.bpf.h"

#include "look.bpf.h"

#include "fault.bpf.h"
#include "footprint.bpf.h"
#include "oom.bpf.h"
#include "origin.bpf.h"
#include "protection.bpf.h"
#include "reach.bpf.h"
#include "request.bpf.h"
#include "usage.bpf.h"

/* A failed call returns one of the last values of the address space. */
#define FAILED(result) ((__u64)(result) >= (__u64) - ERROR_LIMIT)

/* The three ways to hook a system call at its exit; `observe` takes the context and the result. */
#define AT_EXIT_OF(name, observe)                                                                                     \
	SEC("fexit/" SYSCALL_PREFIX #name)                                                                            \
	int name##_fexit(__u64 *ctx)                                                                                  \
	{                                                                                                             \
		observe(ctx, ctx[1]);                                                                                 \
		return 0;                                                                                             \
	}                                                                                                             \
	SEC("kretprobe/" SYSCALL_PREFIX #name)                                                                        \
	int name##_kret(struct pt_regs *ctx)                                                                          \
	{                                                                                                             \
		observe(ctx, PT_REGS_RC(ctx));                                                                        \
		return 0;                                                                                             \
	}                                                                                                             \
	SEC("tp/syscalls/sys_exit_" #name)                                                                            \
	int name##_tp(struct trace_event_raw_sys_exit *ctx)                                                           \
	{                                                                                                             \
		observe(ctx, BPF_CORE_READ(ctx, ret));                                                                \
		return 0;                                                                                             \
	}

/* The life of a process: a new image begins anew, the end closes the account. */

static __always_inline void observe_image(void *context, struct task_struct *task)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	__u64 top = BPF_CORE_READ(mm, start_stack);
	struct workspace *space;
	__u32 pid = pid_of(task);

	if (!in_charge())
		return;
	bpf_map_delete_elem(&footprints, &pid);
	bpf_map_delete_elem(&forked_by_thread, &pid);
	space = enter_workspace();
	if (!space) {
		count(lane_of(task), MEMORY_PROTECTION, false);
		goto leave;
	}

	struct region *stack = &space->scratch.regions[AREA];

	look_at(space->slot, AREA, top);
	if (stack->protection & PROTECTION_EXECUTE)
		tell_protection(context, space, task, TECHNIQUE_STACK, 0, stack->protection, top,
				stack->end - stack->start);
leave:
	leave_workspace(space);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(image_btf, struct task_struct *task)
{
	observe_image(ctx, task);
	return 0;
}

SEC("tp/sched/sched_process_exec")
int image_tp(void *ctx)
{
	observe_image(ctx, (void *)bpf_get_current_task());
	return 0;
}

static __always_inline void observe_fork(__u32 child)
{
	__u8 yes = 1;

	if (is_thread((void *)bpf_get_current_task()))
		bpf_map_update_elem(&forked_by_thread, &child, &yes, BPF_ANY);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(fork_btf, struct task_struct *parent, struct task_struct *child)
{
	observe_fork(BPF_CORE_READ(child, pid));
	return 0;
}

SEC("tp/sched/sched_process_fork")
int fork_tp(struct trace_event_raw_sched_process_fork *ctx)
{
	observe_fork(BPF_CORE_READ(ctx, child_pid));
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(end_btf, struct task_struct *task)
{
	observe_end(ctx, task);
	return 0;
}

SEC("tp/sched/sched_process_exit")
int end_tp(void *ctx)
{
	observe_end(ctx, (void *)bpf_get_current_task());
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(usage_btf, bool preempt, struct task_struct *task)
{
	observe_switch(ctx, task);
	return 0;
}

SEC("tp/sched/sched_switch")
int usage_tp(void *ctx)
{
	observe_switch(ctx, (void *)bpf_get_current_task());
	return 0;
}

/* Memory that becomes executable. security_file_mprotect() is called for each area that mprotect changes. */

static __always_inline void observe_area_protect(void *context, struct vm_area_struct *vma, __u64 protection)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct pt_regs *regs = user_registers(task);
	__u64 start = BPF_CORE_READ(vma, vm_start);

	if (!(protection & PROTECTION_EXECUTE))
		return;
	observe_call(context, CALL_PROTECT);
	if (is_compat(task))
		observe_protect(context, vma, start, BPF_CORE_READ(vma, vm_end) - start, protection);
	else
		observe_protect(context, vma, ARGUMENT_1(regs), ARGUMENT_2(regs), protection);
}

SEC("fentry/security_file_mprotect")
int BPF_PROG(protect_fentry, struct vm_area_struct *vma, unsigned long asked, unsigned long protection)
{
	observe_area_protect(ctx, vma, protection);
	return 0;
}

SEC("kprobe/security_file_mprotect")
int BPF_KPROBE(protect_kprobe, struct vm_area_struct *vma, unsigned long asked, unsigned long protection)
{
	observe_area_protect(ctx, vma, protection);
	return 0;
}

/* What the process gets if it asks for a protection: some old programs get executable whatever they may read. */
#define READ_IMPLIES_EXEC 0x0400000 /* include/uapi/linux/personality.h */
static __always_inline __u32 granted(struct task_struct *task, __u32 asked)
{
	if (asked & PROTECTION_READ && BPF_CORE_READ(task, personality) & READ_IMPLIES_EXEC)
		return asked | PROTECTION_EXECUTE;
	return asked;
}

static __always_inline void observe_protect_call(void *context)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct pt_regs *regs = user_registers(task);
	__u32 protection = granted(task, ARGUMENT_3(regs));

	if (protection & PROTECTION_EXECUTE) {
		observe_call(context, CALL_PROTECT);
		observe_protect(context, NULL, ARGUMENT_1(regs), ARGUMENT_2(regs), protection);
	}
}

SEC("tp/syscalls/sys_enter_mprotect")
int protect_tp(void *ctx)
{
	observe_protect_call(ctx);
	return 0;
}

SEC("tp/syscalls/sys_enter_pkey_mprotect")
int pkey_protect_tp(void *ctx)
{
	observe_protect_call(ctx);
	return 0;
}

static __always_inline void observe_map(void *context, long result)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct pt_regs *regs = user_registers(task);
	__u64 length = ARGUMENT_2(regs);

	if (FAILED(result) || !in_charge())
		return;
	count_map(context, task, result, length);
	if (granted(task, ARGUMENT_3(regs)) & PROTECTION_EXECUTE) {
		observe_call(context, CALL_MAP);
		observe_mapping(context, task, result, length, false);
	}
}
AT_EXIT_OF(mmap, observe_map)

#define SHM_EXEC 0100000 /* include/uapi/linux/shm.h */
static __always_inline void observe_shmat(void *context, long result)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u32 flags = ARGUMENT_3(user_registers(task));

	if (!FAILED(result) && in_charge() && (flags & SHM_EXEC || granted(task, PROTECTION_READ) & PROTECTION_EXECUTE))
		observe_mapping(context, task, result, 0, false);
}
AT_EXIT_OF(shmat, observe_shmat)

static __always_inline void observe_unmap(void *context, long result)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (!result && in_charge())
		count_unmap(context, task, ARGUMENT_2(user_registers(task)));
}
AT_EXIT_OF(munmap, observe_unmap)

static __always_inline void observe_break(void *context, long result)
{
	if (in_charge())
		count_break(context, (void *)bpf_get_current_task());
}
AT_EXIT_OF(brk, observe_break)

static __always_inline void observe_mremap(void *context, long result)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (!FAILED(result) && in_charge())
		observe_mapping(context, task, result, ARGUMENT_3(user_registers(task)), true);
}
AT_EXIT_OF(mremap, observe_mremap)

static __always_inline void observe_remap_pages(void *context, long result)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct pt_regs *regs = user_registers(task);

	if (!result && in_charge())
		observe_mapping(context, task, ARGUMENT_1(regs), ARGUMENT_2(regs), true);
}
AT_EXIT_OF(remap_file_pages, observe_remap_pages)

/* Reaching into others. */

AT_EXIT_OF(ptrace, observe_ptrace)

static __always_inline void observe_vm_read(void *context, long result)
{
	observe_transfer(context, ACCESS_VM_READ, result);
}
AT_EXIT_OF(process_vm_readv, observe_vm_read)

static __always_inline void observe_vm_write(void *context, long result)
{
	observe_transfer(context, ACCESS_VM_WRITE, result);
}
AT_EXIT_OF(process_vm_writev, observe_vm_write)

/* mem_open() and mem_write() in fs/proc/base.c */

SEC("fexit/mem_open")
int BPF_PROG(memory_open_fexit, struct inode *inode, struct file *file, int result)
{
	if (!result)
		observe_memory_open(ctx, file);
	return 0;
}

SEC("kprobe/mem_open")
int BPF_KPROBE(memory_open_kprobe, struct inode *inode, struct file *file)
{
	observe_memory_open(ctx, file);
	return 0;
}

static __always_inline void observe_write_at(void *context, struct file *file, __u64 length, __u64 *position)
{
	__u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), position);
	observe_memory_write(context, file, address, length);
}

/* Where write() and pwrite() write to; other calls are not told apart. */
static __always_inline __u64 position_of_call(struct file *file)
{
	struct pt_regs *regs = user_registers((void *)bpf_get_current_task());

	return called(regs) == SYSCALL_PWRITE64 ? ARGUMENT_4(regs) : BPF_CORE_READ(file, f_pos);
}

/* The arguments: file, from, length, position. Linux 5.17 began to hand out pointers to numbers, and has this helper. */
SEC("fentry/mem_write")
int memory_write_fentry(__u64 *ctx)
{
	struct file *file = (void *)ctx[0];

	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_func_arg))
		observe_write_at(ctx, file, ctx[2], (void *)ctx[3]);
	else
		observe_memory_write(ctx, file, position_of_call(file), ctx[2]);
	return 0;
}

SEC("kprobe/mem_write")
int BPF_KPROBE(memory_write_kprobe, struct file *file, const char *from, unsigned long length, __u64 *position)
{
	observe_write_at(ctx, file, length, position);
	return 0;
}

static __always_inline void observe_open(void *context, long result)
{
	if (result >= 0)
		observe_memory_open(context, file_at((void *)bpf_get_current_task(), result));
}

#define AT_TRACEPOINT(name, observe)                                                                                  \
	SEC("tp/syscalls/sys_exit_" #name)                                                                            \
	int name##_tp(struct trace_event_raw_sys_exit *ctx)                                                           \
	{                                                                                                             \
		observe(ctx, BPF_CORE_READ(ctx, ret));                                                                \
		return 0;                                                                                             \
	}

#if defined(__TARGET_ARCH_x86)
AT_TRACEPOINT(open, observe_open)
#endif
AT_TRACEPOINT(openat, observe_open)
AT_TRACEPOINT(openat2, observe_open)

static __always_inline void observe_positioned_write(void *context, long result)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct pt_regs *regs = user_registers(task);

	if (result > 0)
		observe_memory_write(context, file_at(task, ARGUMENT_1(regs)), ARGUMENT_4(regs), ARGUMENT_3(regs));
}
AT_TRACEPOINT(pwrite64, observe_positioned_write)

/* Facilities. */

static __always_inline void observe_userfaultfd(void *context, long result)
{
	struct pt_regs *regs = user_registers((void *)bpf_get_current_task());

	observe_request(context, FACILITY_USERFAULTFD, result, NULL, ARGUMENT_1(regs));
}
AT_EXIT_OF(userfaultfd, observe_userfaultfd)

static __always_inline void observe_memfd(void *context, long result)
{
	struct pt_regs *regs = user_registers((void *)bpf_get_current_task());

	observe_request(context, FACILITY_MEMFD, result, (const char *)ARGUMENT_1(regs), ARGUMENT_2(regs));
}
AT_EXIT_OF(memfd_create, observe_memfd)

/* Where calls come from. The old image is still in place in all of these. */

SEC("tp_btf/sched_prepare_exec")
int BPF_PROG(caller_btf)
{
	observe_call(ctx, CALL_EXEC);
	return 0;
}

SEC("fentry/security_bprm_check")
int BPF_PROG(caller_fentry)
{
	observe_call(ctx, CALL_EXEC);
	return 0;
}

SEC("kprobe/security_bprm_check")
int caller_kprobe(struct pt_regs *ctx)
{
	observe_call(ctx, CALL_EXEC);
	return 0;
}

SEC("tp/syscalls/sys_enter_execve")
int execve_tp(void *ctx)
{
	observe_call(ctx, CALL_EXEC);
	return 0;
}

SEC("tp/syscalls/sys_enter_execveat")
int execveat_tp(void *ctx)
{
	observe_call(ctx, CALL_EXEC);
	return 0;
}

/* include/net/tcp_states.h */
#define TCP_SYN_SENT 2

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(connect_btf, struct sock *sock, int old, int state)
{
	if (state == TCP_SYN_SENT)
		observe_call(ctx, CALL_CONNECT);
	return 0;
}

SEC("tp/sock/inet_sock_set_state")
int connect_tp(struct trace_event_raw_inet_sock_set_state *ctx)
{
	if (BPF_CORE_READ(ctx, newstate) == TCP_SYN_SENT)
		observe_call(ctx, CALL_CONNECT);
	return 0;
}

/* Faults, and want of memory. */

SEC("tp_btf/signal_deliver")
int BPF_PROG(signal_btf, int signal, struct kernel_siginfo *info, struct k_sigaction *action)
{
	if (is_fault(signal))
		observe_signal(ctx, signal, BPF_CORE_READ(info, si_code),
			       (__u64)BPF_CORE_READ(info, _sifields._sigfault._addr),
			       (__u64)BPF_CORE_READ(action, sa.sa_handler));
	return 0;
}

/* The plain tracepoint does not tell the address; the thread remembers that of its last page fault. */
SEC("tp/signal/signal_deliver")
int signal_tp(struct trace_event_raw_signal_deliver *ctx)
{
	int signal = BPF_CORE_READ(ctx, sig);

	if (is_fault(signal))
		observe_signal(ctx, signal, BPF_CORE_READ(ctx, code), last_fault((void *)bpf_get_current_task()),
			       BPF_CORE_READ(ctx, sa_handler));
	return 0;
}

/* Until Linux 6.7 the tracepoint told the victim's id, and since then hands over the task; the id is not of a namespace. */
static __always_inline void observe_victim(void *context, __u32 id)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_struct *victim = task_with_id(initial_pid_namespace(task), id);

	if (victim)
		observe_oom(context, victim);
}

SEC("tp_btf/mark_victim")
int victim_btf(__u64 *ctx)
{
	if (bpf_core_field_exists(struct trace_event_raw_mark_victim, anon_rss))
		observe_oom(ctx, (void *)ctx[0]);
	else
		observe_victim(ctx, ctx[0]);
	return 0;
}

SEC("tp/oom/mark_victim")
int victim_tp(struct trace_event_raw_mark_victim *ctx)
{
	observe_victim(ctx, BPF_CORE_READ(ctx, pid));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
