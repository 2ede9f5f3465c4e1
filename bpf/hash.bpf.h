/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A keyed hash. Places in the tables of the packet path come from it, and the key is drawn anew at every load: nobody
 * outside can choose addresses or ports that meet in one place.
 */
#ifndef PYLOADER_HASH_BPF_H
#define PYLOADER_HASH_BPF_H

#include "packet.bpf.h"

/* What user space decides before it loads the programs (`NETWORK_SETTINGS` in pyloader/monitors/network.py). */
const volatile struct {
	__u64 key[4];	/* odd, but for the first */
	__u64 tick;	/* nanoseconds */
	__u64 owner;	/* the sensor that loaded them, for who finds them in the kernel */
	__u32 blocking; /* whether the block list is obeyed */
} network SEC(".rodata.network");

/* Multiplication carries every bit upwards, the shifts bring the upper bits down; twice, and each bit reaches each. */
static __always_inline __u64 hash(__u64 high, __u64 low)
{
	__u64 mixed = (low ^ network.key[0]) * network.key[1];

	mixed = ((mixed ^ mixed >> 32) + high) * network.key[2];
	mixed = (mixed ^ mixed >> 29) * network.key[3];
	return mixed ^ mixed >> 32;
}

/*
 * The upper bits of a hash of one number, for a place in a small bitmap. One multiplication alone would put numbers in a
 * row, such as the ports of a scan, into few places with some keys.
 */
static __always_inline __u64 spread(__u64 number)
{
	__u64 mixed = (number ^ network.key[0]) * network.key[2];

	return (mixed ^ mixed >> 32) * network.key[1];
}

#endif
