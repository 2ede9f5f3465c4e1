/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From a program to user space: the rings, and the count of what did not fit into them.
 *
 * Rare and valuable records have a ring of their own, so that a flood of cheap ones cannot push them out. The kernel
 * keeps no count of refused reservations (kernel/bpf/ringbuf.c), so every record that cannot be delivered is counted
 * here, by its tag and by CPU, with the time of the last one: user space puts the loss where it belongs in the stream.
 *
 * Kernels before 5.8 have no ring buffer. There, or when it is asked for, records go through a perf buffer, each behind
 * its length, because perf pads what it carries. User space sets `settings` before it loads the programs; the verifier
 * takes them for constants and leaves out the transport that is not used.
 *
 * Where records are shared out among several workers, each lane has its rings and its counts (lane.bpf.h).
 */
#ifndef PYLOADER_DELIVER_BPF_H
#define PYLOADER_DELIVER_BPF_H

#include "clock.bpf.h"
#include "lane.bpf.h"
#include "records.bpf.h"
#include "settings.bpf.h"

/* User space sets the sizes at load; 64 KiB is what every page size accepts. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} vital SEC(".maps"), common SEC(".maps");

/* The same for each of several lanes. User space makes the rings. */
struct lane_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct lane_ring);
} vital_lanes SEC(".maps"), common_lanes SEC(".maps");

/* Up to where a reader has dealt with the records of each ring; ahead of what it has given back. User space only. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} positions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
} samples SEC(".maps");

struct tally {
	__u64 written;
	__u64 lost;
	__u64 last_lost; /* boot-time clock */
};

/* One for each tag, lane after lane. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TAG_LIMIT);
	__type(key, __u32);
	__type(value, struct tally);
} tallies SEC(".maps");

/* Losses that a reader has put into the stream: the next reader begins where it stopped. Written by user space only. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TAG_LIMIT);
	__type(key, __u32);
	__type(value, __u64);
} reported SEC(".maps");

/*
 * Another program may interrupt this one on the same CPU, so the additions are atomic. This builtin, whose result is not
 * used, becomes the plain instruction; Linux 5.10 has none that fetches.
 */
static __always_inline void count(__u64 lane, __u32 tag, bool delivered)
{
	__u32 key = settings.lanes > 1 ? lane * TAG_LIMIT + tag : tag;
	struct tally *tally = bpf_map_lookup_elem(&tallies, &key);

	if (!tally)
		return;
	if (delivered) {
		__atomic_fetch_add(&tally->written, 1, __ATOMIC_RELAXED);
	} else {
		tally->last_lost = boot_time();
		__atomic_fetch_add(&tally->lost, 1, __ATOMIC_RELAXED);
	}
}

/* A record with the room for its length in front of it, which only the perf buffer uses. */
#define SLOT_LIMIT 256
struct slot {
	__u32 length;
	__u8 record[SLOT_LIMIT];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct slot);
} slots SEC(".maps");

static __always_inline void send_sample(void *context, __u32 tag, __u32 *length, __u64 size)
{
	*length = size;
	count(NO_LANE, tag, !bpf_perf_event_output(context, &samples, BPF_F_CURRENT_CPU, length, sizeof(*length) + size));
}

/* The ring of a lane for records of this type; NULL if there is no such lane. */
static __always_inline void *ring_of(__u32 lane, __u32 tag)
{
	if (is_vital(tag))
		return bpf_map_lookup_elem(&vital_lanes, &lane);
	return bpf_map_lookup_elem(&common_lanes, &lane);
}

/* The compiler would make one call of two, and load both maps for it, of which one is not there. */
#define ONE_OF_TWO asm volatile("" ::: "memory")

/* Room for a record of constant size, to be filled and handed to submit(); NULL if it was counted as lost. */
static __always_inline __u8 *reserve(__u64 lane, __u32 tag, __u64 size)
{
	__u32 only = 0;
	__u8 *record;

	if (settings.perf_buffer) {
		struct slot *slot = bpf_map_lookup_elem(&slots, &only);

		if (!slot)
			return NULL;
		/* The verifier wants the test before the sum, and the compiler would exchange them. */
		barrier_var(slot);
		return slot->record;
	}
	if (settings.lanes > 1) {
		void *ring = ring_of(lane, tag);

		record = ring ? bpf_ringbuf_reserve(ring, size, 0) : NULL;
		ONE_OF_TWO;
	} else if (is_vital(tag)) {
		record = bpf_ringbuf_reserve(&vital, size, 0);
	} else {
		record = bpf_ringbuf_reserve(&common, size, 0);
	}
	if (!record)
		count(lane, tag, false);
	return record;
}

static __always_inline void submit(void *context, __u64 lane, __u32 tag, __u8 *record, __u64 size)
{
	if (settings.perf_buffer) {
		struct slot *slot = (void *)record - __builtin_offsetof(struct slot, record);

		send_sample(context, tag, &slot->length, size);
	} else {
		bpf_ringbuf_submit(record, 0);
		count(lane, tag, true);
	}
}

/* Sends a record of variable size that was built in memory, right behind the room for its length. */
static __always_inline void deliver(void *context, __u64 lane, __u32 tag, __u32 *length, __u8 *record, __u64 size)
{
	long failed = -1;

	if (settings.perf_buffer) {
		send_sample(context, tag, length, size);
		return;
	}
	if (settings.lanes > 1) {
		void *ring = ring_of(lane, tag);

		if (ring)
			failed = bpf_ringbuf_output(ring, record, size, 0);
		ONE_OF_TWO;
	} else if (is_vital(tag)) {
		failed = bpf_ringbuf_output(&vital, record, size, 0);
	} else {
		failed = bpf_ringbuf_output(&common, record, size, 0);
	}
	count(lane, tag, !failed);
}

#endif
