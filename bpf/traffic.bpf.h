/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The totals of all packets, for each CPU by itself: no packet is too much for them, whoever sends it. The sensor reads
 * them every second. XDP programs have their CPU for themselves, so nothing here needs to be atomic.
 */
#ifndef PYLOADER_TRAFFIC_BPF_H
#define PYLOADER_TRAFFIC_BPF_H

#include "hash.bpf.h"

struct pulse {
	__u64 window;
	__u64 packets;
};

/* 64-bit words throughout, as `TRAFFIC_WORDS` in pyloader/monitors/network.py says. */
struct totals {
	__u64 counts[TRAFFIC_LIMIT];
	__u64 dispersion[DISPERSION_BINS];
	struct pulse pulses[PULSE_WINDOWS];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct totals);
} traffic SEC(".maps");

/*
 * Nanoseconds of a clock that is some milliseconds behind and began anywhere, for what lies between two packets: the
 * kernel's count of ticks, which costs a load and no look at the hardware.
 */
static __always_inline __u64 coarse_time(void)
{
	return bpf_jiffies64() * network.tick;
}

static __always_inline void count_pulse(struct totals *totals, __u64 now)
{
	__u64 window = now >> PULSE_SHIFT;
	struct pulse *pulse = &totals->pulses[window % PULSE_WINDOWS];

	if (pulse->window != window) {
		pulse->window = window;
		pulse->packets = 0;
	}
	pulse->packets++;
}

static __always_inline enum traffic transport_count(const struct packet *packet)
{
	switch (packet->protocol) {
	case PROTOCOL_TCP:
		return TRAFFIC_TCP;
	case PROTOCOL_UDP:
		return TRAFFIC_UDP;
	case PROTOCOL_ICMP:
		return TRAFFIC_ICMP;
	case PROTOCOL_ICMPV6:
		return TRAFFIC_ICMPV6;
	case PROTOCOL_SCTP:
		return TRAFFIC_SCTP;
	case PROTOCOL_GRE:
		return TRAFFIC_GRE;
	case PROTOCOL_IP_IN_IP:
	case PROTOCOL_IPV6_IN_IP:
		return TRAFFIC_IP_IN_IP;
	}
	return TRAFFIC_OTHER_TRANSPORT;
}

/* Returns the count of an amplifier's answers, or TRAFFIC_LIMIT. */
static __always_inline __u32 amplifier_count(__u16 port)
{
	switch (port) {
		AMPLIFIER_CASES
	}
	return TRAFFIC_LIMIT;
}

static __always_inline void count_flags(struct totals *totals, __u8 flags)
{
	if (flags & PACKET_SYN)
		totals->counts[flags & PACKET_ACK ? TRAFFIC_SYN_ACK : TRAFFIC_SYN]++;
	else if (!(flags & (PACKET_FIN | PACKET_RST)) && flags & PACKET_ACK)
		totals->counts[TRAFFIC_ACK]++;
	if (flags & PACKET_FIN)
		totals->counts[TRAFFIC_FIN]++;
	if (flags & PACKET_RST)
		totals->counts[TRAFFIC_RST]++;
}

static __always_inline void count_frame(struct totals *totals, const struct packet *packet, __u64 now)
{
	totals->counts[TRAFFIC_PACKETS]++;
	totals->counts[TRAFFIC_BYTES] += packet->length;
	count_pulse(totals, now);
	if (packet->network == ETHERTYPE_IPV4)
		totals->counts[TRAFFIC_IPV4]++;
	else if (packet->network == ETHERTYPE_IPV6)
		totals->counts[TRAFFIC_IPV6]++;
	else
		totals->counts[TRAFFIC_OTHER_NETWORK]++;
}

static __always_inline void count_transport(struct totals *totals, const struct packet *packet)
{
	__u32 amplifier;

	totals->counts[transport_count(packet)]++;
	if (packet->fragment)
		totals->counts[TRAFFIC_FRAGMENTS]++;
	if (!packet->transport)
		return;
	if (packet->protocol == PROTOCOL_TCP)
		count_flags(totals, packet->flags);
	if (packet->protocol != PROTOCOL_UDP)
		return;
	if (packet->tunnel == TUNNEL_VXLAN)
		totals->counts[TRAFFIC_VXLAN]++;
	amplifier = amplifier_count(packet->source_port);
	if (amplifier < TRAFFIC_LIMIT)
		totals->counts[amplifier]++;
}

#endif
