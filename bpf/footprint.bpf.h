/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the memory monitor remembers of each process: how often it did what is reported, and how much it has used.
 *
 * An entry is made when a process first changes its memory map, and removed when it ends or runs another image. When the
 * map is full, processes are judged without memory of what they did before, and each time counts as a lost record of
 * their usage.
 */
#ifndef PYLOADER_FOOTPRINT_BPF_H
#define PYLOADER_FOOTPRINT_BPF_H

#include "attention.bpf.h"
#include "clock.bpf.h"
#include "deliver.bpf.h"
#include "task.bpf.h"

/* Every repeated thing is told this often, and then whenever its number has doubled. */
#define TOLD_FIRST 8

/* What is counted apart: each technique, facility and call, by the numbers of its enumeration, and handled faults. */
enum repeated {
	REPEATED_TECHNIQUE = 0,
	REPEATED_FACILITY = 10,
	REPEATED_CALL = 14,
	REPEATED_FAULT = 20,
	REPEATED_LIMIT = 32,
};

struct span {
	__u64 start;
	__u64 end;
};

struct footprint {
	__u64 start; /* of the process, which tells it from another that had its id */
	__u64 since;
	__u64 maps, mapped;
	__u64 unmaps, unmapped;
	__u64 breaks;
	__u64 last_map, last_map_size; /* the last mapping that the process asked for */
	__u64 written_code;	       /* when it last made written memory executable */
	__u64 last_told;
	struct span honest_code, honest_stack; /* where its last call came from that was found in order */
	__u32 counts[REPEATED_LIMIT];
	__u8 levels[4]; /* how often each measure has doubled, see usage.bpf.h */
	bool told;
	bool measured;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, struct footprint);
} footprints SEC(".maps");

static __always_inline struct footprint *footprint_of(struct task_struct *task)
{
	__u32 pid = pid_of(task);
	struct footprint *known = bpf_map_lookup_elem(&footprints, &pid);

	return known && known->start == start_of(task) ? known : NULL;
}

/* A new entry is copied from here: it is too large for the stack of a caller that has other things there. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct footprint);
} blank SEC(".maps");

static __always_inline struct footprint *make_footprint(struct task_struct *task)
{
	struct footprint *known = footprint_of(task);
	__u32 pid = pid_of(task), only = 0;

	if (known)
		return known;
	known = bpf_map_lookup_elem(&blank, &only);
	if (!known)
		return NULL;
	known->start = start_of(task);
	known->since = boot_time();
	if (bpf_map_update_elem(&footprints, &pid, known, BPF_ANY))
		count(lane_of(task), MEMORY_USAGE, false);
	return bpf_map_lookup_elem(&footprints, &pid);
}

/* Whether the so manieth time of the same thing is told of a process. */
static __always_inline bool is_time_to_tell(__u32 number, __u32 pid)
{
	return number <= TOLD_FIRST || !(number & (number - 1)) || is_told_more(pid);
}

/* Counts one more, and returns the number if it is to be told, else 0. */
static __always_inline __u32 to_be_told(struct footprint *footprint, __u32 repeated, __u32 pid)
{
	__u32 number;

	if (!footprint)
		return 1;
	number = ++footprint->counts[repeated & (REPEATED_LIMIT - 1)];
	return is_time_to_tell(number, pid) ? number : 0;
}

/* The same for what comes in volumes: all but the first may be withheld. */
static __always_inline __u32 some_to_be_told(struct footprint *footprint, __u32 repeated, __u32 pid)
{
	__u32 number = to_be_told(footprint, repeated, pid);

	return number > 1 && is_withheld(pid) ? 0 : number;
}

#endif
