/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is worth a record. User space gives every counter of a source a weight (`Policy` in pyloader/records/network.py);
 * the sum over weights and levels is the salience of the source, and below a threshold nothing is told of it. It is
 * computed when a counter doubles, not for every packet. What is salient is told up to so many times a second on each
 * CPU.
 */
#ifndef PYLOADER_SALIENCE_BPF_H
#define PYLOADER_SALIENCE_BPF_H

#include "records.bpf.h"

#define ANOMALY_COUNT (ANOMALY_FIN_WITHOUT_ACK + 1)

struct policy_table {
	__s32 numbers[POLICY_LIMIT];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct policy_table);
} policy SEC(".maps");

/* How many records of one kind are left for this second (2**30 ns) on this CPU, and how many were not told before. */
struct allowance {
	__u64 second;
	__u64 untold;
	__u32 left;
};

/* The second half of an allowance is for what is urgent. */
static __always_inline bool is_allowed(struct allowance *allowance, __s32 per_second, __u64 now, bool urgent)
{
	__u64 second = now >> 30;

	if (allowance->second != second) {
		allowance->second = second;
		allowance->left = per_second;
	}
	if (allowance->left <= (urgent ? 0 : (__u32)per_second / 2)) {
		allowance->untold++;
		return false;
	}
	allowance->left--;
	return true;
}

static __always_inline __u64 take_untold(struct allowance *allowance)
{
	__u64 untold = allowance->untold;

	allowance->untold = 0;
	return untold;
}

/*
 * The number of binary digits. All below the first are set, then the set ones are counted in groups of 2, 4 and 8 bits:
 * every branch here would multiply the paths that the verifier takes by two for each counter.
 */
static __always_inline __u32 level(__u64 count)
{
	count |= count >> 1;
	count |= count >> 2;
	count |= count >> 4;
	count |= count >> 8;
	count |= count >> 16;
	count |= count >> 32;
	count -= count >> 1 & 0x5555555555555555ULL;
	count = (count & 0x3333333333333333ULL) + (count >> 2 & 0x3333333333333333ULL);
	count = (count + (count >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return count * 0x0101010101010101ULL >> 56;
}

#endif
