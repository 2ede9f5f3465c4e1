/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How much memory a process uses. The kernel keeps the counts of pages and faults itself, so they are only looked at:
 * when a process leaves the CPU, at some of its calls, and at its end. No page fault is hooked.
 *
 * Each measure is told when it first reaches its threshold and whenever it has doubled since, and all of them every
 * second that a process in focus runs.
 */
#ifndef PYLOADER_USAGE_BPF_H
#define PYLOADER_USAGE_BPF_H

#include "footprint.bpf.h"
#include "settings.bpf.h"

#define RESIDENT_FROM (64UL << 20) /* bytes */
#define FAULTS_FROM 65536UL
#define CALLS_FROM 16384UL
#define MAPPED_FROM (1UL << 30) /* bytes */
#define ATTENTION_INTERVAL_NS 1000000000UL

/* A macro, because an index must be a constant where it is written to be moved with its array (CO-RE). */
#define PAGES_OF(mm, kind)                                                                                            \
	({                                                                                                            \
		struct mm_struct___with_rss_stat *old = (void *)(mm);                                                 \
		__s64 pages;                                                                                          \
                                                                                                                      \
		if (bpf_core_field_exists(old->rss_stat.count))                                                       \
			pages = BPF_CORE_READ(old, rss_stat.count[kind].counter);                                     \
		else                                                                                                  \
			pages = BPF_CORE_READ(mm, rss_stat[kind].count);                                              \
		pages > 0 ? (__u64)pages : 0;                                                                         \
	})

static __always_inline __u64 resident_bytes(struct mm_struct *mm)
{
	return (PAGES_OF(mm, MM_FILEPAGES) + PAGES_OF(mm, MM_ANONPAGES) + PAGES_OF(mm, MM_SHMEMPAGES)) *
	       settings.page_size;
}

/* Of the process' ended threads and this one. */
static __always_inline __u64 minor_faults_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, signal, min_flt) + BPF_CORE_READ(task, min_flt);
}

static __always_inline __u64 major_faults_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, signal, maj_flt) + BPF_CORE_READ(task, maj_flt);
}

/* At its end, until Linux 6.15, a process has no memory any more, but its peak is kept. */
static __always_inline __u64 peak_bytes(struct task_struct *task, struct mm_struct *mm)
{
	return (mm ? BPF_CORE_READ(mm, hiwater_rss) : BPF_CORE_READ(task, signal, maxrss)) * settings.page_size;
}

static __always_inline void tell_usage(void *context, struct task_struct *task, struct footprint *footprint,
				       __u32 reasons)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	__u64 now = boot_time(), resident = resident_bytes(mm);
	__u64 peak = peak_bytes(task, mm);
	__u64 lane = lane_of(task);
	__u8 *at;

	footprint->last_told = now;
	footprint->told = true;
	/* Looked at right behind: what reserve() found out, Linux 5.10 forgets over other calls. */
	at = reserve(lane, MEMORY_USAGE, MEMORY_USAGE_FIXED);
	if (!at)
		return;

	struct memory_usage record = {
		.timestamp = now,
		.pid = pid_of(task),
		.ppid = pid_of(parent_of(task)),
		.start = footprint->start,
		.uid = BPF_CORE_READ(task, real_cred, uid.val),
		.reasons = reasons,
		.cgroup = bpf_get_current_cgroup_id(),
		.resident = resident,
		.peak = peak > resident ? peak : resident,
		.virtual = BPF_CORE_READ(mm, total_vm) * settings.page_size,
		.heap = BPF_CORE_READ(mm, brk) - BPF_CORE_READ(mm, start_brk),
		.minor_faults = minor_faults_of(task),
		.major_faults = major_faults_of(task),
		.maps = footprint->maps,
		.mapped = footprint->mapped,
		.unmaps = footprint->unmaps,
		.unmapped = footprint->unmapped,
		.breaks = footprint->breaks,
		.duration = now - footprint->since,
	};

	BPF_CORE_READ_INTO(&record.comm, task, group_leader, comm);
	put_memory_usage(at, &record);
	submit(context, lane, MEMORY_USAGE, at, MEMORY_USAGE_FIXED);
}

/* Whether a measure has doubled since it was last told; remembers it then. */
static __always_inline bool has_doubled(__u8 *level, __u64 value, __u64 from)
{
	__u8 reached = 0;

	/* As many steps as take the smallest threshold to any count that is real. */
	for (int step = 0; step < 40 && value >= from; step++) {
		value >>= 1;
		reached++;
	}
	if (reached <= *level)
		return false;
	*level = reached;
	return true;
}

/*
 * Returns the measures (enum usage_reason) that are to be told. What a child has from the process that forked it is not
 * its own doing.
 */
static __always_inline __u32 doubled_measures(struct task_struct *task, struct footprint *footprint, __u64 resident)
{
	__u64 faults = minor_faults_of(task) + major_faults_of(task);
	__u64 calls = footprint->maps + footprint->unmaps + footprint->breaks;
	__u32 reasons = 0;

	if (has_doubled(&footprint->levels[0], resident, RESIDENT_FROM))
		reasons |= USAGE_RESIDENT;
	if (has_doubled(&footprint->levels[1], faults, FAULTS_FROM))
		reasons |= USAGE_FAULTS;
	if (has_doubled(&footprint->levels[2], calls, CALLS_FROM))
		reasons |= USAGE_CALLS;
	if (has_doubled(&footprint->levels[3], footprint->mapped, MAPPED_FROM))
		reasons |= USAGE_MAPPED;
	if (!footprint->measured && BPF_CORE_READ(task, flags) & PF_FORKNOEXEC)
		reasons = 0;
	footprint->measured = true;
	return reasons;
}

static __always_inline void consider_usage(void *context, struct task_struct *task, struct footprint *footprint)
{
	__u32 reasons = doubled_measures(task, footprint, resident_bytes(BPF_CORE_READ(task, mm)));
	__u32 pid = pid_of(task);

	if (is_in_focus(pid) && boot_time() - footprint->last_told >= ATTENTION_INTERVAL_NS)
		reasons |= USAGE_ATTENTION;
	if (reasons && !is_withheld(pid))
		tell_usage(context, task, footprint, reasons);
}

/* A process leaves the CPU. Most are small and cost no more than this look at their size. */
static __always_inline void observe_switch(void *context, struct task_struct *task)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	__u32 pid = pid_of(task);
	struct footprint *footprint;

	/* Until it executes, a child of vfork() has only the memory of its parent. */
	if (!mm || BPF_CORE_READ(task, vfork_done) || !in_charge())
		return;
	if (resident_bytes(mm) < RESIDENT_FROM && BPF_CORE_READ(task, min_flt) < FAULTS_FROM &&
	    !is_in_focus(pid))
		return;
	footprint = make_footprint(task);
	if (footprint)
		consider_usage(context, task, footprint);
}

#define LOOK_EVERY 64 /* calls, a power of two */

static __always_inline void count_map(void *context, struct task_struct *task, __u64 address, __u64 size)
{
	struct footprint *footprint = make_footprint(task);

	if (!footprint)
		return;
	__atomic_fetch_add(&footprint->maps, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&footprint->mapped, size, __ATOMIC_RELAXED);
	footprint->last_map = address;
	footprint->last_map_size = size;
	if (!(footprint->maps & (LOOK_EVERY - 1)))
		consider_usage(context, task, footprint);
}

static __always_inline void count_unmap(void *context, struct task_struct *task, __u64 size)
{
	struct footprint *footprint = make_footprint(task);

	if (!footprint)
		return;
	__atomic_fetch_add(&footprint->unmaps, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&footprint->unmapped, size, __ATOMIC_RELAXED);
}

static __always_inline void count_break(void *context, struct task_struct *task)
{
	struct footprint *footprint = make_footprint(task);

	if (!footprint)
		return;
	__atomic_fetch_add(&footprint->breaks, 1, __ATOMIC_RELAXED);
	if (!(footprint->breaks & (LOOK_EVERY - 1)))
		consider_usage(context, task, footprint);
}

/* The last thread of a process is ending. What it had at its peak may not have been seen before. */
static __always_inline void observe_end(void *context, struct task_struct *task)
{
	struct footprint *footprint = footprint_of(task);
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	__u32 pid = pid_of(task), reasons;
	__u64 peak = peak_bytes(task, mm);

	if (mm && resident_bytes(mm) > peak)
		peak = resident_bytes(mm);
	if (BPF_CORE_READ(task, signal, live.counter) || is_kernel_thread(task) || !in_charge())
		return;
	if (!footprint && peak >= RESIDENT_FROM)
		footprint = make_footprint(task);
	if (!footprint)
		return;
	reasons = doubled_measures(task, footprint, peak);
	if ((reasons || footprint->told) && !is_withheld(pid))
		tell_usage(context, task, footprint, reasons | USAGE_EXIT);
	bpf_map_delete_elem(&footprints, &pid);
	bpf_map_delete_elem(&forked_by_thread, &pid);
}

#endif
