// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the network monitor is measured beside. `vary` gives each packet another source address out of so many and goes on
 * into the program under test, so that one BPF_PROG_RUN sees many sources.
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "packet.bpf.h"

#define BPF_MAP_TYPE_PROG_ARRAY 3 /* include/uapi/linux/bpf.h */

struct sources_state {
	__u64 random;
	__u64 mask; /* the number of sources, a power of two, less one */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sources_state);
} varied SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} measured SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u64);
} counted SEC(".maps");

static __always_inline struct ipv4_header *header_of(struct xdp_md *context)
{
	struct ipv4_header *header = (void *)(long)context->data + sizeof(struct ethernet_header);

	return (void *)(header + 1) > (void *)(long)context->data_end ? NULL : header;
}

SEC("xdp")
int vary(struct xdp_md *ctx)
{
	__u32 only = 0;
	struct sources_state *state = bpf_map_lookup_elem(&varied, &only);
	struct ipv4_header *header = header_of(ctx);

	if (!state || !header)
		return XDP_DROP;
	/* Knuth's generator; its upper bits are the good ones. The second factor scatters the numbers over all addresses. */
	state->random = state->random * 6364136223846793005ULL + 1442695040888963407ULL;
	header->source = (__u32)(state->random >> 33 & state->mask) * 2654435761u + 0x0100000a; /* 10.0.0.1 */
	bpf_tail_call(ctx, &measured, 0);
	return XDP_DROP;
}

SEC("xdp")
int empty(struct xdp_md *ctx)
{
	return XDP_PASS;
}

/* What is usually done: one counter for each source, in a map that forgets the one that was used least recently. */
SEC("xdp")
int count_sources(struct xdp_md *ctx)
{
	struct ipv4_header *header = header_of(ctx);
	__u64 one = 1, *count;
	__u32 source;

	if (!header)
		return XDP_PASS;
	source = header->source;
	count = bpf_map_lookup_elem(&counted, &source);
	if (count)
		__atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
	else
		bpf_map_update_elem(&counted, &source, &one, BPF_ANY);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
