/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The kernel kills a process for want of memory: which one, and which limit was hit. */
#ifndef PYLOADER_OOM_BPF_H
#define PYLOADER_OOM_BPF_H

#include "charge.bpf.h"
#include "deliver.bpf.h"
#include "usage.bpf.h"

#define GROUP_DEPTH 12
/* A charge that fails takes pages in advance: so far below its limit a group may be (mm/memcontrol.c). */
#define CHARGE_BATCH 64
#define OOM_SCORE_ADJ_MAX 1000 /* include/uapi/linux/oom.h */

/* The tightest full group of memory around a task, or NULL if the host itself is out of memory. */
static __always_inline struct page_counter *full_group_of(struct task_struct *task)
{
	__u32 memory = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
	struct css_set *groups = BPF_CORE_READ(task, cgroups);
	struct page_counter *counter = NULL;
	void *group = NULL;

	/* The subsystem's state is the first member of the group. */
	bpf_probe_read_kernel(&group, sizeof(group),
			      (void *)groups + bpf_core_field_offset(groups->subsys) + memory * sizeof(group));
	if (group)
		counter = group + bpf_core_field_offset(struct mem_cgroup, memory);
	for (int level = 0; level < GROUP_DEPTH && counter; level++) {
		if ((__u64)BPF_CORE_READ(counter, usage.counter) + CHARGE_BATCH >= BPF_CORE_READ(counter, max))
			return counter;
		counter = BPF_CORE_READ(counter, parent);
	}
	return NULL;
}

static __always_inline void observe_oom(void *context, struct task_struct *victim)
{
	struct task_struct *cause = (void *)bpf_get_current_task();
	struct page_counter *group = full_group_of(victim);
	struct mm_struct *mm = BPF_CORE_READ(victim, mm);
	__u64 lane;
	__u8 *at;

	if (!in_charge())
		return;
	lane = lane_of(victim);
	at = reserve(lane, OOM_KILL, OOM_KILL_FIXED);
	if (!at)
		return;

	struct oom_kill record = {
		.timestamp = boot_time(),
		.pid = pid_of(victim),
		.start = start_of(victim),
		.uid = BPF_CORE_READ(victim, real_cred, uid.val),
		.scope = group ? OOM_CGROUP : OOM_HOST,
		.cgroup = BPF_CORE_READ(victim, cgroups, dfl_cgrp, kn, id),
		.limit = group ? BPF_CORE_READ(group, max) * settings.page_size : 0,
		.usage = group ? BPF_CORE_READ(group, usage.counter) * settings.page_size : 0,
		.virtual = BPF_CORE_READ(mm, total_vm) * settings.page_size,
		.anonymous = PAGES_OF(mm, MM_ANONPAGES) * settings.page_size,
		.file = PAGES_OF(mm, MM_FILEPAGES) * settings.page_size,
		.shared = PAGES_OF(mm, MM_SHMEMPAGES) * settings.page_size,
		.score_adjustment = BPF_CORE_READ(victim, signal, oom_score_adj) + OOM_SCORE_ADJ_MAX,
		.cause_pid = pid_of(cause),
	};

	BPF_CORE_READ_INTO(&record.comm, victim, group_leader, comm);
	BPF_CORE_READ_INTO(&record.cause_comm, cause, group_leader, comm);
	put_oom_kill(at, &record);
	submit(context, lane, OOM_KILL, at, OOM_KILL_FIXED);
}

#endif
