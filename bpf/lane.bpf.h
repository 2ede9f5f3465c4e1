/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Lanes: which of several workers reads a record (`pyloader run --workers`).
 *
 * Whatever is about one lineage, or about one source, goes to one lane, so that one worker knows all of it. Nothing is
 * remembered for it: the lane is a hash, the same in all objects and in pyloader/monitors/lane.py. Of a process it is the
 * hash of its control group, which a service, a container and a login have for themselves and which nobody leaves without
 * privileges; where everything is in the root of the groups, that of its session. Of a source it is that of its network,
 * since both are judged together. Records about nobody go to lane 0.
 *
 * The hash is no secret: who chooses his lane shares it with others, as everybody does.
 *
 * With one lane all of this is code that the verifier leaves out.
 */
#ifndef PYLOADER_LANE_BPF_H
#define PYLOADER_LANE_BPF_H

#include "settings.bpf.h"
#include "task.bpf.h"

#define LANE_LIMIT 16
#define ROOT_CGROUP 1
#define NO_LANE 0 /* of records about nobody */

/* Each bit of the number reaches each bit of the result: fmix64() of MurmurHash3. */
static __always_inline __u64 lane_by(__u64 number)
{
	number = (number ^ number >> 33) * 0xff51afd7ed558ccdULL;
	number = (number ^ number >> 33) * 0xc4ceb9fe1a85ec53ULL;
	return (number >> 33) * settings.lanes >> 31;
}

static __always_inline __u64 lane_of(struct task_struct *task)
{
	__u64 group;

	if (settings.lanes <= 1)
		return NO_LANE;
	group = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	return lane_by(group > ROOT_CGROUP ? group : session_of(task));
}

/* `high` and `low` are the words of an address in network order. */
static __always_inline __u64 lane_of_source(__u64 high, __u64 low)
{
	if (settings.lanes <= 1)
		return NO_LANE;
	/* 24 bits of an IPv4 address, which is ::ffff:a.b.c.d, and 64 of IPv6. */
	return lane_by(!high && (__u32)low == 0xffff0000 ? low & 0x00ffffffffffffffULL : high);
}

#endif
