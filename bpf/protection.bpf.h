/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Memory that becomes executable other than by loading a program. The techniques are those that SELinux tells apart
 * (execmem, execmod, execheap, execstack; file_map_prot_check() in security/selinux/hooks.c) and double mappings. Each
 * area of a process is told once for each technique: a just-in-time compiler gives one record, not a storm.
 */
#ifndef PYLOADER_PROTECTION_BPF_H
#define PYLOADER_PROTECTION_BPF_H

#include "charge.bpf.h"
#include "footprint.bpf.h"
#include "look.bpf.h"

struct area_key {
	__u64 process; /* when it started */
	__u64 start;
	__u64 technique;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct area_key);
	__type(value, __u8);
} told_areas SEC(".maps");

static __always_inline bool told_before(struct task_struct *task, const struct region *area, __u32 technique)
{
	struct area_key key = {.process = start_of(task), .start = area->start, .technique = technique};
	__u8 yes = 1;

	return bpf_map_update_elem(&told_areas, &key, &yes, BPF_NOEXIST);
}

/* The technique by which an area comes from the protection `was` to `now`; 0 if there is nothing to it. */
static __always_inline __u32 technique_of(const struct region *area, __u32 was, __u32 now)
{
	struct file *file = area->file;

	if (!(now & PROTECTION_EXECUTE))
		return 0;
	if (was & PROTECTION_EXECUTE && (!(now & PROTECTION_WRITE) || was & PROTECTION_WRITE))
		return 0;
	switch (area->kind) {
	case AREA_STACK:
	case AREA_THREAD_STACK:
		return TECHNIQUE_STACK;
	case AREA_HEAP:
		return TECHNIQUE_HEAP;
	case AREA_MEMFD:
		if (BPF_CORE_READ(file, f_inode, i_mapping, i_mmap_writable.counter) >
		    (now & PROTECTION_SHARED ? 1 : 0))
			return TECHNIQUE_DUAL_MAPPING;
		return TECHNIQUE_MEMFD;
	case AREA_KERNEL:
		return 0;
	case AREA_FILE:
		if (area->touched && !(now & PROTECTION_SHARED))
			return TECHNIQUE_TEXT_RELOCATION;
		if (now & PROTECTION_WRITE)
			return TECHNIQUE_WRITABLE;
		/* Written through this mapping: the file itself changed. */
		return was & PROTECTION_WRITE && now & PROTECTION_SHARED ? TECHNIQUE_WRITTEN : 0;
	default:
		if (now & PROTECTION_WRITE)
			return TECHNIQUE_WRITABLE;
		return area->touched || was & PROTECTION_WRITE ? TECHNIQUE_WRITTEN : TECHNIQUE_ANONYMOUS;
	}
}

static __always_inline void tell_protection(void *context, struct workspace *space, struct task_struct *task,
					    __u32 technique, __u32 was, __u32 now, __u64 address, __u64 length)
{
	struct scratch *scratch = &space->scratch;
	struct region *area = &scratch->regions[AREA];
	struct memory_protection *record = &scratch->protection;
	struct footprint *footprint = make_footprint(task);

	/* Pages that come and go under one address are new code each time. */
	if (footprint && (technique == TECHNIQUE_WRITTEN || technique == TECHNIQUE_WRITABLE || technique == TECHNIQUE_HEAP ||
			  technique == TECHNIQUE_STACK || technique == TECHNIQUE_DUAL_MAPPING))
		footprint->written_code = boot_time();
	if (told_before(task, area, technique))
		return;
	record->count = some_to_be_told(footprint, REPEATED_TECHNIQUE + technique, pid_of(task));
	if (!record->count)
		return;
	record->timestamp = boot_time();
	record->pid = pid_of(task);
	record->tid = BPF_CORE_READ(task, pid);
	record->ppid = pid_of(parent_of(task));
	record->start = start_of(task);
	record->uid = BPF_CORE_READ(task, real_cred, uid.val);
	record->technique = technique;
	record->area = area->kind;
	record->was = was;
	record->now = now;
	record->exposure = look_for_sockets(space->slot);
	record->cgroup = bpf_get_current_cgroup_id();
	record->address = address;
	record->length = length;
	record->area_start = area->start;
	record->area_end = area->end;
	record->ip = user_ip(user_registers(task));
	BPF_CORE_READ_INTO(&record->comm, task, group_leader, comm);
	put_memory_protection(space->record, record);

	__u64 end = append_file_of(space, MEMORY_PROTECTION_FIXED, AREA);

	deliver(context, lane_of(task), MEMORY_PROTECTION, &space->length, space->record, BELOW(2 * RECORD_LIMIT, end));
}

/* The technique by which mprotect() is about to change an area; 0 if there is nothing to it. */
static __always_inline __u32 technique_on(const struct region *area, __u32 now)
{
	if (area->kind == AREA_NONE)
		return 0;
	return technique_of(area, area->protection, now | (area->protection & PROTECTION_SHARED));
}

/*
 * mprotect() before it takes effect. `vma` is the area that it changes, or NULL where only the range is known: then it is
 * the first area with something to it, among so many.
 */
#define AREAS_LOOKED_AT 8
static __always_inline void observe_protect(void *context, struct vm_area_struct *vma, __u64 address, __u64 length,
					    __u32 now)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct workspace *space;
	struct region *area;
	__u64 next = address;

	if (!in_charge())
		return;
	space = enter_workspace();
	if (!space) {
		count(lane_of(task), MEMORY_PROTECTION, false);
		goto leave;
	}
	area = &space->scratch.regions[AREA];
	now &= PROTECTION_READ | PROTECTION_WRITE | PROTECTION_EXECUTE;
	space->scratch.flags = 0;
	if (vma) {
		describe_area(area, task, vma);
		space->scratch.flags = technique_on(area, now);
	}
	for (int areas = 0; !vma && areas < AREAS_LOOKED_AT && next - address < length; areas++) {
		look_at(space->slot, AREA, next);
		space->scratch.flags = technique_on(area, now);
		if (space->scratch.flags || area->kind == AREA_NONE)
			break;
		next = area->end;
	}
	if (space->scratch.flags)
		tell_protection(context, space, task, space->scratch.flags, area->protection,
				now | (area->protection & PROTECTION_SHARED), address, length);
leave:
	leave_workspace(space);
}

/* A new mapping, or one that was moved: it is as it will be. With no length it is a whole area. */
static __always_inline void observe_mapping(void *context, struct task_struct *task, __u64 address, __u64 length,
					    bool moved)
{
	struct workspace *space = enter_workspace();
	struct region *area;
	__u32 technique;

	if (!space) {
		count(lane_of(task), MEMORY_PROTECTION, false);
		goto leave;
	}
	area = &space->scratch.regions[AREA];
	look_at(space->slot, AREA, address);
	if (moved)
		technique = area->protection & PROTECTION_EXECUTE ? TECHNIQUE_MOVED : 0;
	else
		technique = technique_of(area, 0, area->protection);
	if (area->kind != AREA_NONE && technique)
		tell_protection(context, space, task, technique, moved ? area->protection : 0, area->protection,
				address, length ?: area->end - area->start);
leave:
	leave_workspace(space);
}

#endif
