/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fragments that no honest stack makes: too small for the transport's header, ending past the largest datagram, or
 * overlapping. Of a datagram the last few stretches that came are remembered, and those that touch are joined, so the
 * fragments of an honest one take a single stretch, in order or in reverse.
 */
#ifndef PYLOADER_FRAGMENTS_BPF_H
#define PYLOADER_FRAGMENTS_BPF_H

#include "hash.bpf.h"

#define DATAGRAM_PLACES 4096
#define STRETCHES 4
#define DATAGRAM_TIME (30 << 10) /* units of 2**20 ns: how long Linux waits for the rest of a datagram */

struct stretch {
	__u32 begin;
	__u32 end; /* 0 if it is free */
};

struct datagram {
	__u32 print;
	__u32 seen;
	__u32 next; /* the stretch that is forgotten next */
	__u32 unused;
	struct stretch last; /* what came last: the same again is a copy that the network made */
	struct stretch stretches[STRETCHES];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, DATAGRAM_PLACES);
	__type(key, __u32);
	__type(value, struct datagram);
} datagrams SEC(".maps");

static __always_inline bool cuts_header(const struct packet *packet)
{
	/* A second fragment that begins inside of TCP's header rewrites its flags (RFC 3128). */
	if (packet->fragment_offset)
		return packet->protocol == PROTOCOL_TCP && packet->fragment_offset < sizeof(struct tcp_header);
	switch (packet->protocol) {
	case PROTOCOL_TCP:
		return packet->left < (__s32)sizeof(struct tcp_header);
	case PROTOCOL_UDP:
		return packet->left < (__s32)sizeof(struct udp_header);
	}
	return false;
}

static __always_inline void remember_stretch(struct datagram *datagram, __u32 begin, __u32 end)
{
	__u32 next = datagram->next++ % STRETCHES;

	for (int at = 0; at < STRETCHES; at++) {
		struct stretch *known = &datagram->stretches[at];

		if (known->end && known->end == begin) {
			known->end = end;
			return;
		}
		if (known->end && known->begin == end) {
			known->begin = begin;
			return;
		}
	}
	datagram->stretches[next].begin = begin;
	datagram->stretches[next].end = end;
}

/* Whether a stretch overlaps one that came before. */
static __always_inline bool overlaps(struct packet *packet, __u64 source_hash, __u32 now)
{
	__u64 mixed = hash(source_hash + packet->destination.high,
			   packet->destination.low ^ ((__u64)packet->fragment_id << 8 | packet->protocol));
	__u32 place = mixed % DATAGRAM_PLACES, print = (__u32)(mixed >> 32) | 1;
	__u32 begin = packet->fragment_offset, end = begin + packet->left;
	struct datagram *datagram = bpf_map_lookup_elem(&datagrams, &place);

	if (!datagram || packet->left <= 0)
		return false;
	if (datagram->print != print || now - datagram->seen > DATAGRAM_TIME) {
		*datagram = (struct datagram){.print = print};
	} else {
		if (datagram->last.begin == begin && datagram->last.end == end)
			return false;
		for (int at = 0; at < STRETCHES; at++) {
			struct stretch *known = &datagram->stretches[at];

			if (begin < known->end && known->begin < end)
				return true;
		}
	}
	datagram->seen = now;
	datagram->last.begin = begin;
	datagram->last.end = end;
	remember_stretch(datagram, begin, end);
	return false;
}

static __always_inline void judge_fragment(struct packet *packet, __u64 source_hash, __u32 now)
{
	if (packet->more_fragments && packet->left & 7)
		note(packet, ANOMALY_BAD_LENGTH);
	if (cuts_header(packet))
		note(packet, ANOMALY_TINY_FRAGMENT);
	if (packet->fragment_offset + packet->left > 0xffff)
		note(packet, ANOMALY_OVERSIZED_FRAGMENT);
	if (overlaps(packet, source_hash, now))
		note(packet, ANOMALY_OVERLAPPING_FRAGMENT);
}

#endif
