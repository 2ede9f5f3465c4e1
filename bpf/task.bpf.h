/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who a task is: small questions that several hooks ask. All return 0 where the kernel has no answer. */
#ifndef PYLOADER_TASK_BPF_H
#define PYLOADER_TASK_BPF_H

#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */

static __always_inline bool is_kernel_thread(struct task_struct *task)
{
	return BPF_CORE_READ(task, flags) & PF_KTHREAD;
}

/* The process that the task is a thread of; user space calls the thread group's id the pid. */
static __always_inline __u32 pid_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, tgid);
}

static __always_inline bool is_thread(struct task_struct *task)
{
	return BPF_CORE_READ(task, pid) != BPF_CORE_READ(task, tgid);
}

static __always_inline __u64 start_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, group_leader, start_boottime);
}

/* The process that waits for this one. real_parent may be a thread, so its group leader gives the start. */
static __always_inline struct task_struct *parent_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, real_parent);
}

static __always_inline __u32 session_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, signal, pids[PIDTYPE_SID], numbers[0].nr);
}

/* The innermost pid namespace that the task is in; nsproxy only knows where its children will be. */
static __always_inline __u32 pid_namespace_of(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);
	struct upid *number = (void *)pid + bpf_core_field_offset(pid->numbers) +
			      level * bpf_core_type_size(struct upid);

	return BPF_CORE_READ(number, ns, ns.inum);
}

static __always_inline __u32 mount_namespace_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
}

#endif
