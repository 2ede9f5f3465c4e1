// SPDX-License-Identifier: Dual BSD/GPL
/* A monitor for the tests of the build chain: it fills a ring when BPF_PROG_RUN asks it to. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define LONGEST_RECORD 64

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} records SEC(".maps");

__u64 next_number;

/* Writes one record of `length` bytes: its running number, then zeros. `discard` throws it away again. */
SEC("raw_tp")
int BPF_PROG(emit, __u64 length, __u64 discard)
{
	__u64 *record = bpf_ringbuf_reserve(&records, LONGEST_RECORD, 0);

	(void)length;
	if (!record)
		return 1;
	__builtin_memset(record, 0, LONGEST_RECORD);
	*record = next_number++;
	if (discard)
		bpf_ringbuf_discard(record, 0);
	else
		bpf_ringbuf_submit(record, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
