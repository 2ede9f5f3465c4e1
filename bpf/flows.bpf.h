/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which flows are known. Each has one place, by a keyed hash of its addresses and ports, and a newer flow takes the place
 * of an older one: nothing can fill this up. TCP, whose handshakes are followed, has places of its own.
 *
 * Only what comes in is seen here. A handshake counts as completed when a SYN is followed by an ACK with the next sequence
 * number; whoever spoofs its address can send that blindly, so it says that the source takes trouble, not who it is.
 */
#ifndef PYLOADER_FLOWS_BPF_H
#define PYLOADER_FLOWS_BPF_H

#include "hash.bpf.h"

#define FLOW_PLACES (1 << 17)

/* Times are in units of 2**20 ns. */
#define FLOW_IDLE (300 << 10)
#define HANDSHAKE_TIME (3 << 10)

struct flow {
	__u32 print;	/* the rest of the hash; never 0 in use */
	__u32 expected; /* the sequence number that completes the handshake */
	__u32 seen;
	__u32 opening; /* whether it is to be completed */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FLOW_PLACES);
	__type(key, __u32);
	__type(value, struct flow);
} tcp_flows SEC(".maps"), other_flows SEC(".maps");

struct flow_news {
	bool opened;	/* a new flow */
	bool completed; /* a handshake */
	bool displaced; /* a handshake under way was forgotten for it */
};

static __always_inline __u64 flow_hash(const struct packet *packet, __u64 source_hash)
{
	__u64 ports = (__u64)packet->source_port << 32 | packet->destination_port << 16 | packet->protocol;

	return hash(source_hash + packet->destination.high, packet->destination.low ^ ports);
}

static __always_inline bool is_syn(const struct packet *packet)
{
	return (packet->flags & (PACKET_SYN | PACKET_ACK | PACKET_FIN | PACKET_RST)) == PACKET_SYN;
}

static __always_inline struct flow_news follow_tcp(const struct packet *packet, __u64 hash, __u32 now)
{
	__u32 place = hash % FLOW_PLACES, print = (__u32)(hash >> 32) | 1;
	struct flow *flow = bpf_map_lookup_elem(&tcp_flows, &place);
	struct flow_news news = {};
	bool known;

	if (!flow)
		return news;
	known = flow->print == print;
	if (is_syn(packet)) {
		/* The same again was lost on its way, or its answer was. */
		if (known && flow->expected == packet->sequence + 1 && now - flow->seen < FLOW_IDLE)
			return news;
		news.opened = true;
		news.displaced = !known && flow->opening && now - flow->seen < HANDSHAKE_TIME;
		flow->print = print;
		flow->expected = packet->sequence + 1;
		flow->seen = now;
		flow->opening = 1;
	} else if (known && flow->opening) {
		news.completed = (packet->flags & (PACKET_ACK | PACKET_SYN | PACKET_RST)) == PACKET_ACK &&
				 packet->sequence == flow->expected && packet->acknowledgement;
		if (news.completed || packet->flags & PACKET_RST)
			flow->opening = 0;
	}
	return news;
}

static __always_inline struct flow_news follow_other(__u64 hash, __u32 now)
{
	__u32 place = hash % FLOW_PLACES, print = (__u32)(hash >> 32) | 1;
	struct flow *flow = bpf_map_lookup_elem(&other_flows, &place);
	struct flow_news news = {};

	if (!flow)
		return news;
	news.opened = flow->print != print || now - flow->seen >= FLOW_IDLE;
	flow->print = print;
	if (flow->seen != now)
		flow->seen = now;
	return news;
}

#endif
