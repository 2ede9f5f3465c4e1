// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A monitor for the tests of the build chain: it writes to a ring when BPF_PROG_RUN asks it to. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define LONGEST_RECORD 64

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} records SEC(".maps");

__u8 record[LONGEST_RECORD];

/* Writes one record of `length` bytes, each of them `fill`. */
SEC("raw_tp")
int BPF_PROG(emit, __u64 length, __u64 fill)
{
	if (length > LONGEST_RECORD)
		return 1;
	__builtin_memset(record, fill, LONGEST_RECORD);
	return bpf_ringbuf_output(&records, record, length, 0);
}

/* Reserves a record and throws it away. */
SEC("raw_tp")
int BPF_PROG(discard)
{
	void *reserved = bpf_ringbuf_reserve(&records, LONGEST_RECORD, 0);

	if (!reserved)
		return 1;
	bpf_ringbuf_discard(reserved, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
