/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the transport says: ports, flags of TCP, and lengths that agree. Tunnels are told and not entered.
 */
#ifndef PYLOADER_TRANSPORT_BPF_H
#define PYLOADER_TRANSPORT_BPF_H

#include "packet.bpf.h"

#define TCP_FLAGS (PACKET_FIN | PACKET_SYN | PACKET_RST | PACKET_PSH | PACKET_ACK | PACKET_URG)
#define XMAS (PACKET_FIN | PACKET_PSH | PACKET_URG)

static __always_inline void judge_flags(struct packet *packet, __u8 flags)
{
	if (!flags)
		note(packet, ANOMALY_NULL_FLAGS);
	else if ((flags & (PACKET_SYN | PACKET_FIN)) == (PACKET_SYN | PACKET_FIN))
		note(packet, ANOMALY_SYN_FIN);
	else if ((flags & (PACKET_SYN | PACKET_RST)) == (PACKET_SYN | PACKET_RST))
		note(packet, ANOMALY_SYN_RST);
	else if (!(flags & PACKET_ACK) && (flags & XMAS) == XMAS)
		note(packet, ANOMALY_XMAS);
	else if (!(flags & (PACKET_ACK | PACKET_RST)) && flags & PACKET_FIN)
		note(packet, ANOMALY_FIN_WITHOUT_ACK);
}

static __always_inline bool read_tcp(struct packet *packet, struct xdp_md *context)
{
	struct tcp_header *header = next_header(packet, context, sizeof(*header));
	__s32 size;

	if (!header)
		return false;
	packet->source_port = __builtin_bswap16(header->source);
	packet->destination_port = __builtin_bswap16(header->destination);
	packet->sequence = __builtin_bswap32(header->sequence);
	packet->acknowledgement = __builtin_bswap32(header->acknowledgement);
	packet->flags = header->flags & TCP_FLAGS;
	size = (header->words >> 4) * 4;
	if (size < (__s32)sizeof(*header) || (size > packet->left && !packet->fragment))
		note(packet, ANOMALY_BAD_LENGTH);
	if (!packet->source_port || !packet->destination_port)
		note(packet, ANOMALY_PORT_ZERO);
	judge_flags(packet, header->flags & TCP_FLAGS);
	return true;
}

static __always_inline bool read_udp(struct packet *packet, struct xdp_md *context)
{
	struct udp_header *header = next_header(packet, context, sizeof(*header));
	__s32 length;

	if (!header)
		return false;
	packet->source_port = __builtin_bswap16(header->source);
	packet->destination_port = __builtin_bswap16(header->destination);
	length = __builtin_bswap16(header->length);
	/* Of a fragmented datagram only a part is here; that of a jumbogram has no length. */
	if (!packet->fragment && (length < (__s32)sizeof(*header) || length > packet->left) &&
	    !(!length && packet->left > 0xffff))
		note(packet, ANOMALY_BAD_LENGTH);
	/* A source port of 0 means that no answer is wanted (RFC 768). */
	if (!packet->destination_port)
		note(packet, ANOMALY_PORT_ZERO);
	if (packet->destination_port == PORT_VXLAN)
		packet->tunnel = TUNNEL_VXLAN;
	return true;
}

static __always_inline bool read_icmp(struct packet *packet, struct xdp_md *context)
{
	struct icmp_header *header = next_header(packet, context, sizeof(*header));

	if (!header)
		return false;
	packet->source_port = header->type;
	packet->destination_port = header->code;
	return true;
}

static __always_inline bool read_sctp(struct packet *packet, struct xdp_md *context)
{
	/* The ports stand where UDP's are. */
	struct udp_header *header = next_header(packet, context, sizeof(*header));

	if (!header)
		return false;
	packet->source_port = __builtin_bswap16(header->source);
	packet->destination_port = __builtin_bswap16(header->destination);
	return true;
}

static __always_inline void read_transport(struct packet *packet, struct xdp_md *context)
{
	bool whole = true;

	switch (packet->protocol) {
	case PROTOCOL_TCP:
		whole = packet->transport = read_tcp(packet, context);
		break;
	case PROTOCOL_UDP:
		whole = packet->transport = read_udp(packet, context);
		break;
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		whole = packet->transport = read_icmp(packet, context);
		break;
	case PROTOCOL_SCTP:
		whole = packet->transport = read_sctp(packet, context);
		break;
	case PROTOCOL_GRE:
		packet->tunnel = TUNNEL_GRE;
		break;
	case PROTOCOL_IP_IN_IP:
	case PROTOCOL_IPV6_IN_IP:
		packet->tunnel = TUNNEL_IP_IN_IP;
		break;
	}
	/* A short first fragment is judged as such (fragments.bpf.h). */
	if (!whole && !packet->fragment)
		note(packet, ANOMALY_TRUNCATED);
}

#endif
