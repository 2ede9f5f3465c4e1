/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From a program to user space: the ring, and the count of what did not fit into it.
 *
 * The kernel keeps no count of refused reservations (kernel/bpf/ringbuf.c), so every record that cannot be delivered
 * is counted here, by its tag and by CPU. User space reads the counters and puts the loss into the stream.
 */
#ifndef PYLOADER_DELIVER_BPF_H
#define PYLOADER_DELIVER_BPF_H

#include "records.bpf.h"

/* User space sets the size at load; 64 KiB is what every page size accepts. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TAG_LIMIT);
	__type(key, __u32);
	__type(value, __u64);
} lost SEC(".maps");

static __always_inline void count_lost(__u32 tag)
{
	__u64 *count = bpf_map_lookup_elem(&lost, &tag);

	/*
	 * Another program may interrupt this one on the same CPU, so the addition is atomic. This builtin, whose result
	 * is not used, becomes the plain instruction; Linux 5.10 has none that fetches.
	 */
	if (count)
		__atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
}

/* Room for a record of constant size, to be filled and handed to submit(); NULL if it was counted as lost. */
static __always_inline __u8 *reserve(__u32 tag, __u64 size)
{
	__u8 *record = bpf_ringbuf_reserve(&ring, size, 0);

	if (!record)
		count_lost(tag);
	return record;
}

static __always_inline void submit(__u8 *record)
{
	bpf_ringbuf_submit(record, 0);
}

/* Copies a record of variable size into the ring. */
static __always_inline void deliver(__u32 tag, __u8 *record, __u64 size)
{
	if (bpf_ringbuf_output(&ring, record, size, 0))
		count_lost(tag);
}

#endif
