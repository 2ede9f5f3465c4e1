/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What every lane must know, whoever judges it: records about processes go to the lane of the process and, as copies, to
 * the ring for others of each other lane. A worker then knows all processes, and the parents and containers of its own.
 *
 * A copy is news for nobody, so it wakes no one: it is read with the next record of the lane's own. A worker is woken only
 * when half the ring is full. A copy that finds no room is counted in the lane that misses it.
 */
#ifndef PYLOADER_COPIES_BPF_H
#define PYLOADER_COPIES_BPF_H

#include "deliver.bpf.h"

/* In the tallies of a lane, copies stand where no record has its tag. */
#define COPIES 0

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct lane_ring);
} other_lanes SEC(".maps");

/* Without a comparison, which would tell the verifier something about the lane, and something else in each round. */
static __always_inline __u64 lane_after(__u64 lane, __u32 steps)
{
	return (lane + steps) % settings.lanes;
}

static __always_inline bool give_copy(__u32 lane, void *record, __u64 size)
{
	void *ring = bpf_map_lookup_elem(&other_lanes, &lane);
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (!ring)
		return false;
	if (bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) >= bpf_ringbuf_query(ring, BPF_RB_RING_SIZE) / 2)
		flags = BPF_RB_FORCE_WAKEUP;
	return !bpf_ringbuf_output(ring, record, size, flags);
}

/* Gives a copy to all lanes but that of the record itself. */
static __always_inline void give_copies(__u64 own, void *record, __u64 size)
{
	for (__u32 steps = 1; steps < LANE_LIMIT && steps < settings.lanes; steps++) {
		__u64 lane = lane_after(own, steps);

		count(lane, COPIES, give_copy(lane, record, size));
	}
}

/* A record that was not written at all has no copies either. */
static __always_inline void lose_copies(__u64 own)
{
	for (__u32 steps = 1; steps < LANE_LIMIT && steps < settings.lanes; steps++)
		count(lane_after(own, steps), COPIES, false);
}

#endif
