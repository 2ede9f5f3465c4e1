/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which processes user space looks at closely, and how much it wants of all others (pyloader/monitors/attention.py).
 *
 * What repeats is told of everybody at its first times and at its doublings. Of a process in focus each time is told, so
 * many a second as its level allows. When user space cannot keep up, it withholds a share of the repeats and of what
 * comes in volumes from those who are not in focus: by lot, so that nobody can know which ones. What happens for the
 * first time, and what is rare, never comes here.
 */
#ifndef PYLOADER_ATTENTION_BPF_H
#define PYLOADER_ATTENTION_BPF_H

#include "clock.bpf.h"

#define ATTENTION_LEVELS 3
#define FIRST_LEVEL_PER_SECOND 16U /* and four times as much at each further level */

struct attention {
	__u32 level;
	__u32 second; /* in which `told` counts */
	__u32 told;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 128);
	__type(key, __u32);
	__type(value, struct attention);
} attention SEC(".maps");

/* How many of 65,536 records are withheld. At first it is none. */
#define ALL_WITHHELD 65536

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} withheld SEC(".maps");

static __always_inline bool is_in_focus(__u32 pid)
{
	return bpf_map_lookup_elem(&attention, &pid);
}

/*
 * Whether a record that others would not be told of is told of this process; it is counted then. Two CPUs may count as
 * one at the same moment, so the limit is not sharp.
 */
__noinline int is_told_more(__u32 pid)
{
	struct attention *focus = bpf_map_lookup_elem(&attention, &pid);
	__u32 second = boot_time() >> 30, level;

	if (!focus)
		return 0;
	if (focus->second != second) {
		focus->second = second;
		focus->told = 0;
	}
	level = focus->level - 1;
	if (level >= ATTENTION_LEVELS || focus->told >= FIRST_LEVEL_PER_SECOND << 2 * level)
		return 0;
	focus->told++;
	return 1;
}

/* Whether a record in volumes about this process is withheld. */
__noinline int is_withheld(__u32 pid)
{
	__u32 only = 0;
	__u32 *share = bpf_map_lookup_elem(&withheld, &only);

	if (!share || !*share || is_in_focus(pid))
		return 0;
	return bpf_get_prandom_u32() % ALL_WITHHELD < *share;
}

#endif
