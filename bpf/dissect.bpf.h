/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A frame, header by header, and what no honest stack puts there as its source. Of tunnels the outer headers are read and
 * no more.
 */
#ifndef PYLOADER_DISSECT_BPF_H
#define PYLOADER_DISSECT_BPF_H

#include "internet.bpf.h"
#include "transport.bpf.h"

static __always_inline bool is_bad_source(const struct packet *packet)
{
	const struct address *source = &packet->source;
	__u8 first = source->low >> 32;
	bool outside = packet->interface != LOOPBACK_INTERFACE;

	if (is_ipv4(source)) {
		/* A host without an address asks for one, and for groups. */
		if (!first)
			return source->low >> 32 || !(packet->protocol == PROTOCOL_IGMP ||
						     (packet->protocol == PROTOCOL_UDP &&
						      packet->destination_port == PORT_BOOTPS));
		return first >= 224 || (first == 127 && outside);
	}
	if ((source->high & 0xff) == 0xff)
		return true;
	if (source->high)
		return false;
	/* Of the unspecified address only neighbour discovery makes use. */
	if (!source->low)
		return packet->protocol != PROTOCOL_ICMPV6;
	return source->low == 1ULL << 56 && outside;
}

/* Reads a frame; false if it holds neither IPv4 nor IPv6, or not enough of it to know the source. */
static __always_inline bool read_packet(struct packet *packet, struct xdp_md *context)
{
	bool transport;

	__builtin_memset(packet, 0, sizeof(*packet));
	packet->interface = context->ingress_ifindex;
	packet->length = context->data_end - context->data;
	if (!read_ethernet(packet, context))
		return false;
	if (packet->network == ETHERTYPE_IPV4)
		transport = read_ipv4(packet, context);
	else if (packet->network == ETHERTYPE_IPV6)
		transport = read_ipv6(packet, context);
	else
		return false;
	if (!(packet->source.high | packet->source.low | packet->destination.low))
		return false;
	if (transport && !packet->fragment_offset)
		read_transport(packet, context);
	if (is_bad_source(packet))
		note(packet, ANOMALY_BAD_SOURCE);
	if (packet->source.high == packet->destination.high && packet->source.low == packet->destination.low &&
	    packet->interface != LOOPBACK_INTERFACE)
		note(packet, ANOMALY_LAND);
	return true;
}

#endif
