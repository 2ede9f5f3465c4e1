/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which programs speak, when an upgrade has attached new ones beside the old.
 *
 * Tracing links cannot exchange their program, so for a moment both are attached, the old one first in the order of
 * calls, on the same maps. Each knows its generation; one shared word says which of them speaks, and changing that word
 * is the upgrade. An event during which it changes may have been told by the old program already: while `handover` is
 * set, each CPU remembers what it told last, and the new program does not tell it again.
 */
#ifndef PYLOADER_CHARGE_BPF_H
#define PYLOADER_CHARGE_BPF_H

#include "clock.bpf.h"
#include "settings.bpf.h"

/* Both programs run within this time of each other for one event; ids may be used again after it. */
#define SAME_EVENT_NS 1000000

struct charge {
	__u32 generation;
	__u32 handover;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct charge);
} charge SEC(".maps");

enum hook {
	HOOK_EXEC,
	HOOK_FORK,
	HOOK_EXIT,
	HOOK_SOCKET,
	HOOK_CONNECTION_STATE, /* and up, by the new state: what happens to one socket in succession is told apart */
	HOOK_CONNECTION_LAST = HOOK_CONNECTION_STATE + 15,
	HOOK_SIGNAL,
	HOOK_COUNT,
};

struct told {
	__u64 id;
	__u64 time;
	__u32 generation;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HOOK_COUNT);
	__type(key, __u32);
	__type(value, struct told);
} told SEC(".maps");

static __always_inline bool in_charge(void)
{
	__u32 only = 0;
	struct charge *now = bpf_map_lookup_elem(&charge, &only);

	return !now || now->generation == settings.generation;
}

/* Whether this program is to tell an event; `id` tells it apart from the event before it on this CPU. */
static __always_inline bool speaks_for(enum hook hook, __u64 id)
{
	__u32 key = hook, only = 0;
	struct charge *now = bpf_map_lookup_elem(&charge, &only);
	struct told *last;

	if (!now)
		return true;
	if (now->generation != settings.generation)
		return false;
	if (!now->handover)
		return true;
	last = bpf_map_lookup_elem(&told, &key);
	if (!last)
		return true;
	if (last->id == id && last->generation != settings.generation && boot_time() - last->time < SAME_EVENT_NS)
		return false;
	last->id = id;
	last->time = boot_time();
	last->generation = settings.generation;
	return true;
}

#endif
