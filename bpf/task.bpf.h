/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who a task is: small questions that several hooks ask. All return 0 where the kernel has no answer. */
#ifndef PYLOADER_TASK_BPF_H
#define PYLOADER_TASK_BPF_H

/* include/linux/sched.h */
#define PF_KTHREAD 0x00200000
#define PF_FORKNOEXEC 0x00000040
#define PF_IO_WORKER 0x00000010

static __always_inline bool is_kernel_thread(struct task_struct *task)
{
	return BPF_CORE_READ(task, flags) & PF_KTHREAD;
}

/* Whether the task enters the kernel by system calls, so that it has registers to look at. */
static __always_inline bool makes_calls(struct task_struct *task)
{
	return !(BPF_CORE_READ(task, flags) & (PF_KTHREAD | PF_IO_WORKER));
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
static __always_inline struct pid_namespace *active_pid_namespace(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);
	struct upid *number = (void *)pid + bpf_core_field_offset(pid->numbers) +
			      level * bpf_core_type_size(struct upid);

	return BPF_CORE_READ(number, ns);
}

static __always_inline __u32 pid_namespace_of(struct task_struct *task)
{
	return BPF_CORE_READ(active_pid_namespace(task), ns.inum);
}

static __always_inline __u32 mount_namespace_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
}

/* How many generations `task` descends from a process, or 0 if it does not. */
#define GENERATIONS 16
static __always_inline __u32 descent_from(struct task_struct *task, __u32 pid)
{
	for (__u32 generation = 1; generation <= GENERATIONS; generation++) {
		task = parent_of(task);
		if (pid_of(task) == pid)
			return generation;
		if (pid_of(task) <= 1)
			break;
	}
	return 0;
}

/* The namespace that all others are made in. */
static __always_inline struct pid_namespace *initial_pid_namespace(struct task_struct *task)
{
	return BPF_CORE_READ(task, thread_pid, numbers[0].ns);
}

static __always_inline struct task_struct *task_of(struct pid *pid)
{
	struct hlist_node *first = BPF_CORE_READ(pid, tasks[PIDTYPE_PID].first);

	return first ? (void *)first - bpf_core_field_offset(struct task_struct, pid_links) : NULL;
}

/*
 * The task that has an id in a namespace, or NULL. The ids of a namespace stand in an xarray, whose nodes each take six
 * bits of the id (xas_load() in lib/xarray.c).
 */
#define XARRAY_DEPTH 6
static __always_inline struct task_struct *task_with_id(struct pid_namespace *namespace, __u32 id)
{
	__u64 entry = (__u64)BPF_CORE_READ(namespace, idr.idr_rt.xa_head);

	id -= BPF_CORE_READ(namespace, idr.idr_base);
	for (int depth = 0; depth < XARRAY_DEPTH && (entry & 3) == 2 && entry > 4096; depth++) {
		struct xa_node *node = (void *)(entry & ~3UL);
		__u32 shift = BPF_CORE_READ(node, shift);
		__u64 next = 0;

		/* The root tells how far the ids go: what lies beyond has no node. */
		if (shift > 24 || (!depth && id >> shift >> 6))
			return NULL;
		bpf_probe_read_kernel(&next, sizeof(next), (void *)node + bpf_core_field_offset(node->slots) +
							       (id >> shift & 63) * sizeof(next));
		entry = next;
	}
	return entry && !(entry & 3) ? task_of((void *)entry) : NULL;
}

#endif
