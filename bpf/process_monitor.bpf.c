// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The process monitor: exec, fork, exit and changes of credentials, without touching the system-call path.
 *
 * Every observation is written once and stands behind several hooks: a BTF tracepoint (tp_btf), which hands over the
 * kernel's own objects, the plain tracepoint (tp) for kernels that refuse the first, and for credentials the function
 * that changes them. pyloader/monitors/process.py declares the ladders; one program of each is loaded.
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "charge.bpf.h"
#include "copies.bpf.h"
#include "credentials.bpf.h"
#include "deliver.bpf.h"
#include "file.bpf.h"
#include "path.bpf.h"
#include "stdio.bpf.h"
#include "task.bpf.h"

struct scratch {
	struct process_exec exec;
	struct credentials now;
	struct stream streams[3];
	volatile __u32 flags; /* of exec; in memory for the reason given at struct stream */
};
#define WORKSPACES 1
#include "workspace.bpf.h"

#define S_IWOTH 0000002		/* include/uapi/linux/stat.h */
#define SIGNAL_GROUP_EXIT 0x4	/* include/linux/sched/signal.h */

/*
 * Execution: sched_process_exec comes at the end of a successful execve (exec_binprm() in fs/exec.c), when the new
 * image, its arguments and its credentials are in place. The arguments are read from the new stack, where the kernel
 * copied them: what the caller still changes in its own memory no longer matters. Failed execs are not seen.
 */

/* A memfd never had a directory, and so no link to lose. */
static __always_inline void describe_image(struct file *image, volatile __u32 *flags)
{
	struct dentry *dentry = BPF_CORE_READ(image, f_path.dentry);
	struct inode *inode = BPF_CORE_READ(image, f_inode);
	umode_t directory = BPF_CORE_READ(dentry, d_parent, d_inode, i_mode);

	if (is_memfd(dentry)) {
		*flags |= EXEC_MEMFD;
		return;
	}
	if (!BPF_CORE_READ(inode, i_nlink))
		*flags |= EXEC_DELETED;
	if ((directory | BPF_CORE_READ(inode, i_mode)) & S_IWOTH)
		*flags |= EXEC_WORLD_WRITABLE;
}

static __always_inline void fill_exec(struct scratch *scratch, struct task_struct *task, struct inode *inode)
{
	struct task_struct *parent = parent_of(task);
	struct credentials *now = &scratch->now;
	struct process_exec *exec = &scratch->exec;
	struct stream *in = &scratch->streams[0], *out = &scratch->streams[1], *err = &scratch->streams[2];

	read_stream(in, task, 0);
	read_stream(out, task, 1);
	read_stream(err, task, 2);

	exec->timestamp = boot_time();
	exec->pid = pid_of(task);
	exec->ppid = pid_of(parent);
	exec->start = start_of(task);
	exec->parent_start = start_of(parent);
	exec->session = session_of(task);
	exec->uid = now->uid;
	exec->euid = now->euid;
	exec->gid = now->gid;
	exec->capabilities = now->effective;
	exec->cgroup = bpf_get_current_cgroup_id();
	exec->pid_namespace = pid_namespace_of(task);
	exec->mount_namespace = mount_namespace_of(task);
	exec->inode = BPF_CORE_READ(inode, i_ino);
	exec->device = BPF_CORE_READ(inode, i_sb, s_dev);
	exec->stdio = in->kind | out->kind << 4 | err->kind << 8;
	exec->stdin_inode = in->inode;
	exec->stdout_inode = out->inode;
	exec->args_size = BPF_CORE_READ(task, mm, arg_end) - BPF_CORE_READ(task, mm, arg_start);
	BPF_CORE_READ_INTO(&exec->comm, task, comm);
	BPF_CORE_READ_INTO(&exec->parent_comm, parent, group_leader, comm);
}

/* `script` is set when the kernel replaced the file by its interpreter. */
static __always_inline void observe_exec(void *context, struct task_struct *task, const char *filename, bool script)
{
	struct file *image = BPF_CORE_READ(task, mm, exe_file);
	__u32 pid = pid_of(task);
	struct credentials *old = bpf_map_lookup_elem(&credentials, &pid);
	struct workspace *space = enter_workspace();
	bool unreadable;
	__u64 end = PROCESS_EXEC_FIXED;

	/* Every exec makes a new address space. */
	if (!space || !speaks_for(HOOK_EXEC, (__u64)BPF_CORE_READ(task, mm)))
		goto leave;

	struct inode *inode = BPF_CORE_READ(image, f_inode);
	struct scratch *scratch = &space->scratch;
	struct process_exec *exec = &scratch->exec;

	read_credentials(BPF_CORE_READ(task, real_cred), &scratch->now);
	fill_exec(scratch, task, inode);
	scratch->flags = script ? EXEC_SCRIPT : 0;
	describe_image(image, &scratch->flags);
	gained_by_exec(&scratch->now, inode, &scratch->flags);

	__u64 args = exec->args_size, lane = lane_of(task);

	if (args > PROCESS_EXEC_ARGS_LIMIT) {
		args = PROCESS_EXEC_ARGS_LIMIT;
		scratch->flags |= EXEC_ARGUMENTS_TRUNCATED;
	}
	end = append_string(space, end, filename, PROCESS_EXEC_FILENAME_LIMIT);
	end = append_path(space, end, image);
	end = append_user_memory(space, end, BPF_CORE_READ(task, mm, arg_start), args, &unreadable);
	if (space->path.truncated)
		scratch->flags |= EXEC_PATH_TRUNCATED;
	if (unreadable)
		scratch->flags |= EXEC_ARGUMENTS_UNREADABLE;
	exec->flags = scratch->flags;
	put_process_exec(space->record, exec);
	deliver(context, lane, PROCESS_EXEC, &space->length, space->record, BELOW(2 * RECORD_LIMIT, end));
	give_copies(lane, space->record, BELOW(2 * RECORD_LIMIT, end));
	compare_credentials(context, task, old, &scratch->now, AT_EXEC, exec->flags);
leave:
	leave_workspace(space);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(exec_btf, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	const char *filename = BPF_CORE_READ(bprm, filename);

	observe_exec(ctx, task, filename, BPF_CORE_READ(bprm, interp) != filename);
	return 0;
}

/* The plain tracepoint does not tell whether the file was a script. */
SEC("tp/sched/sched_process_exec")
int exec_tp(struct trace_event_raw_sched_process_exec *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	/* The low half of a data location is the string's offset from the context (include/trace/stages). */
	__u32 offset = BPF_CORE_READ(ctx, __data_loc_filename) & 0xffff;

	observe_exec(ctx, task, (const char *)ctx + offset, false);
	return 0;
}

/*
 * Creation: sched_process_fork comes before the child first runs (kernel_clone() in kernel/fork.c), so its record
 * always precedes the child's own. A new thread has the tgid of its creator and is left out.
 */
static __always_inline void observe_fork(void *context, struct task_struct *parent, struct task_struct *child)
{
	__u32 parent_pid = pid_of(parent), pid = pid_of(child);
	struct credentials now;

	if (is_thread(child) || is_kernel_thread(child) || !speaks_for(HOOK_FORK, (__u64)child))
		return;

	/* Threads other than the leader may hold credentials of their own and do not speak for the process. */
	if (!is_thread(parent)) {
		read_credentials(BPF_CORE_READ(parent, real_cred), &now);
		compare_credentials(context, parent, bpf_map_lookup_elem(&credentials, &parent_pid), &now, AT_FORK, 0);
	}
	read_credentials(BPF_CORE_READ(child, real_cred), &now);
	remember_credentials(child, &now);

	__u64 lane = lane_of(child);
	__u8 *at = reserve(lane, PROCESS_FORK, PROCESS_FORK_FIXED);

	if (!at) {
		lose_copies(lane);
		return;
	}

	/* Not always the creator: with CLONE_PARENT it is the creator's parent. */
	struct task_struct *adopter = parent_of(child);
	struct process_fork record = {
		.timestamp = boot_time(),
		.pid = pid,
		.ppid = pid_of(adopter),
		.start = start_of(child),
		.parent_start = start_of(adopter),
		.session = session_of(child),
		.uid = now.uid,
		.cgroup = bpf_get_current_cgroup_id(),
	};

	BPF_CORE_READ_INTO(&record.comm, child, comm);
	put_process_fork(at, &record);
	give_copies(lane, at, PROCESS_FORK_FIXED);
	submit(context, lane, PROCESS_FORK, at, PROCESS_FORK_FIXED);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(fork_btf, struct task_struct *parent, struct task_struct *child)
{
	observe_fork(ctx, parent, child);
	return 0;
}

/*
 * The plain tracepoint tells the child's id only. copy_process() has just put a new process, but no new thread, at
 * the end of its parent's list of children. A child made with CLONE_PARENT is on another list and is missed here.
 */
SEC("tp/sched/sched_process_fork")
int fork_tp(struct trace_event_raw_sched_process_fork *ctx)
{
	struct task_struct *parent = (void *)bpf_get_current_task();
	struct list_head *last = BPF_CORE_READ(parent, children.prev);
	struct task_struct *child = (void *)last - bpf_core_field_offset(struct task_struct, sibling);

	if (BPF_CORE_READ(child, pid) == BPF_CORE_READ(ctx, child_pid))
		observe_fork(ctx, parent, child);
	return 0;
}

/*
 * The end: sched_process_exit comes once per thread (do_exit() in kernel/exit.c), after the count of live threads went
 * down. Two last threads that end together on two CPUs may both find it at zero; `exited` lets one of them report.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u8);
} exited SEC(".maps");

static __always_inline bool reported_by_other_thread(struct task_struct *task, __u64 start)
{
	__u8 yes = 1;

	if (BPF_CORE_READ(task, signal, nr_threads) <= 1)
		return false;
	return bpf_map_update_elem(&exited, &start, &yes, BPF_NOEXIST);
}

static __always_inline void observe_exit(void *context, struct task_struct *task)
{
	__u32 pid = pid_of(task);
	__u64 start = start_of(task), time = boot_time();
	int status = BPF_CORE_READ(task, exit_code);

	if (is_kernel_thread(task) || BPF_CORE_READ(task, signal, live.counter) ||
	    !speaks_for(HOOK_EXIT, (__u64)task) || reported_by_other_thread(task, start))
		return;
	bpf_map_delete_elem(&credentials, &pid);
	/* exit_group(2) and fatal signals leave the status of the whole process here. */
	if (BPF_CORE_READ(task, signal, flags) & SIGNAL_GROUP_EXIT)
		status = BPF_CORE_READ(task, signal, group_exit_code);

	__u64 lane = lane_of(task);
	__u8 *at = reserve(lane, PROCESS_EXIT, PROCESS_EXIT_FIXED);

	if (!at) {
		lose_copies(lane);
		return;
	}

	struct process_exit record = {
		.timestamp = time,
		.pid = pid,
		.ppid = pid_of(parent_of(task)),
		.start = start,
		.uid = BPF_CORE_READ(task, real_cred, uid.val),
		.code = status >> 8,
		.signal = status & 0x7f,
		.core_dumped = !!(status & 0x80),
		.lifetime = time - start,
	};

	BPF_CORE_READ_INTO(&record.comm, task, group_leader, comm);
	put_process_exit(at, &record);
	give_copies(lane, at, PROCESS_EXIT_FIXED);
	submit(context, lane, PROCESS_EXIT, at, PROCESS_EXIT_FIXED);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(exit_btf, struct task_struct *task)
{
	observe_exit(ctx, task);
	return 0;
}

SEC("tp/sched/sched_process_exit")
int exit_tp(void *ctx)
{
	observe_exit(ctx, (void *)bpf_get_current_task());
	return 0;
}

/*
 * Credentials between exec, fork and exit. commit_creds() (kernel/cred.c) is where every system call that changes
 * credentials ends; `next` is what the task will have. Where it cannot be hooked, credentials are looked at whenever the
 * leader of a process leaves the CPU: comparing the object's address, which commit_creds() changes, and the effective
 * uid, which an exploit overwrites in place, costs one look-up; the rest is for a difference. Overwritten capabilities
 * show at the next fork or exec.
 */
static __always_inline void observe_credentials(void *context, struct task_struct *task, const struct cred *next,
						struct credentials *known)
{
	struct credentials now;

	read_credentials(next, &now);
	compare_credentials(context, task, known, &now, AT_SWITCH, 0);
}

static __always_inline void observe_commit(void *context, const struct cred *next)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u32 pid = pid_of(task);

	if (in_charge() && !is_thread(task) && !is_kernel_thread(task))
		observe_credentials(context, task, next, bpf_map_lookup_elem(&credentials, &pid));
}

SEC("fentry/commit_creds")
int BPF_PROG(credentials_fentry, struct cred *next)
{
	observe_commit(ctx, next);
	return 0;
}

SEC("kprobe/commit_creds")
int BPF_KPROBE(credentials_kprobe, struct cred *next)
{
	observe_commit(ctx, next);
	return 0;
}

static __always_inline void observe_switch(void *context, struct task_struct *task, __u32 pid, const struct cred *cred,
					   __u32 euid)
{
	struct credentials *known = bpf_map_lookup_elem(&credentials, &pid);

	if (!in_charge())
		return;
	if (!known || known->object != cred || known->euid != euid)
		observe_credentials(context, task, cred, known);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(credentials_btf, bool preempt, struct task_struct *task)
{
	if (task->pid == task->tgid && task->mm)
		observe_switch(ctx, task, task->tgid, task->real_cred, task->real_cred->euid.val);
	return 0;
}

/* The tracepoint lies before the switch: the current task is the one that leaves. */
SEC("tp/sched/sched_switch")
int credentials_tp(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	const struct cred *cred = BPF_CORE_READ(task, real_cred);

	if (!is_thread(task) && BPF_CORE_READ(task, mm))
		observe_switch(ctx, task, pid_of(task), cred, BPF_CORE_READ(cred, euid.val));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
