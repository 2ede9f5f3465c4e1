/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The process that a socket is attributed to, as it was when it opened the socket. */
#ifndef PYLOADER_OWNER_BPF_H
#define PYLOADER_OWNER_BPF_H

#include "lane.bpf.h"
#include "task.bpf.h"

/* All zero if it is not known. */
struct owner {
	__u64 start;
	__u64 cgroup;
	__u32 pid;
	__u32 ppid;
	__u32 uid;
	char comm[16];
	__u32 lane; /* last: what an older version remembers in pinned maps ends here */
};

/* For use in process context only: in an interrupt the current task is whoever was interrupted. */
static __always_inline void read_owner(struct owner *owner)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	owner->start = start_of(task);
	owner->cgroup = bpf_get_current_cgroup_id();
	owner->pid = pid_of(task);
	owner->ppid = pid_of(parent_of(task));
	owner->uid = BPF_CORE_READ(task, real_cred, uid.val);
	owner->lane = lane_of(task);
	BPF_CORE_READ_INTO(&owner->comm, task, group_leader, comm);
}

/* The fields that every record of a socket begins with. */
#define OWNED_BY(owner)                                                                                               \
	.pid = (owner)->pid, .ppid = (owner)->ppid, .start = (owner)->start, .uid = (owner)->uid,                     \
	.cgroup = (owner)->cgroup

#endif
