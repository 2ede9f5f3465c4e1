// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A monitor for the tests of the build chain: it writes to a ring or a perf buffer when BPF_PROG_RUN asks it to. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define LONGEST_RECORD 64
#define TIMESTAMP_OFFSET 6

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
} samples SEC(".maps");

__u8 record[LONGEST_RECORD];

struct sample {
	__u32 length;
	__u8 record[LONGEST_RECORD];
} sample;

/* Writes one record of `length` bytes, each of them `fill`, and where a timestamp belongs `stamp` as it is in memory. */
SEC("raw_tp")
int BPF_PROG(emit, __u64 length, __u64 fill, __u64 stamp)
{
	if (length > LONGEST_RECORD)
		return 1;
	__builtin_memset(record, fill, LONGEST_RECORD);
	__builtin_memcpy(record + TIMESTAMP_OFFSET, &stamp, sizeof(stamp));
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

/* Writes one sample of `length` bytes, each of them `fill`, behind a length that says `claimed`. */
SEC("raw_tp")
int BPF_PROG(emit_sample, __u64 length, __u64 fill, __u64 claimed)
{
	if (length > LONGEST_RECORD)
		return 1;
	__builtin_memset(sample.record, fill, LONGEST_RECORD);
	sample.length = claimed;
	return bpf_perf_event_output(ctx, &samples, BPF_F_CURRENT_CPU, &sample, sizeof(sample.length) + length);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
