/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a frame says in its headers: Ethernet with up to two VLAN tags, IPv4 with options, IPv6 with extension headers,
 * and the transport. Of tunnels the outer headers are read and no more.
 *
 * Every header is tested against the end of the frame and against the length that the header around it claims. What
 * does not add up is noted as an anomaly, and reading goes on as far as it can. What was read, and where the next header
 * begins, lies in memory and not in registers: to the verifier all ways to a header look alike then (README.md).
 */
#ifndef PYLOADER_PACKET_BPF_H
#define PYLOADER_PACKET_BPF_H

#include "records.bpf.h"

/* The context of XDP programs and their verdicts: include/uapi/linux/bpf.h. They are the same in every kernel. */
struct xdp_md {
	__u32 data;
	__u32 data_end;
	__u32 data_meta;
	__u32 ingress_ifindex;
};

enum xdp_action {
	XDP_DROP = 1,
	XDP_PASS = 2,
};

/* include/uapi/linux/if_ether.h, in network order */
#define ETHERTYPE(number) __builtin_bswap16(number)
#define ETHERTYPE_IPV4 ETHERTYPE(0x0800)
#define ETHERTYPE_IPV6 ETHERTYPE(0x86dd)

/* IANA's numbers of transports and of IPv6's extension headers. */
#define PROTOCOL_HOP_BY_HOP 0
#define PROTOCOL_ICMP 1
#define PROTOCOL_IGMP 2
#define PROTOCOL_IP_IN_IP 4
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define PROTOCOL_IPV6_IN_IP 41
#define PROTOCOL_ROUTING 43
#define PROTOCOL_FRAGMENT 44
#define PROTOCOL_GRE 47
#define PROTOCOL_AUTHENTICATION 51
#define PROTOCOL_ICMPV6 58
#define PROTOCOL_NO_NEXT 59
#define PROTOCOL_DESTINATION_OPTIONS 60
#define PROTOCOL_SCTP 132
#define PROTOCOL_MOBILITY 135
#define PROTOCOL_HOST_IDENTITY 139
#define PROTOCOL_SHIM6 140

#define PORT_BOOTPS 67
#define PORT_VXLAN 4789

#define LOOPBACK_INTERFACE 1 /* LOOPBACK_IFINDEX in include/net/flow.h: so in every network namespace */

#define VLAN_LIMIT 2
#define EXTENSION_LIMIT 8
#define OPTION_BYTES 40

struct ethernet_header {
	__u8 addresses[12];
	__u16 type;
};

struct vlan_tag {
	__u16 control;
	__u16 type;
};

struct ipv4_header {
	__u8 version_words; /* version and length of the header in 4 bytes */
	__u8 service;
	__u16 length;
	__u16 id;
	__u16 fragment; /* flags and offset in 8 bytes */
	__u8 hops;
	__u8 protocol;
	__u16 checksum;
	__u32 source;
	__u32 destination;
};

struct ipv6_header {
	__u32 version_flow;
	__u16 length; /* behind this header */
	__u8 next;
	__u8 hops;
	__u64 source[2];
	__u64 destination[2];
} __attribute__((packed, aligned(4)));

struct ipv6_extension {
	__u8 next;
	__u8 length;
	__u8 type; /* of routing headers */
	__u8 rest;
	__u32 id; /* of fragment headers; these have their offset in the two bytes before */
};

struct tcp_header {
	__u16 source;
	__u16 destination;
	__u32 sequence;
	__u32 acknowledgement;
	__u8 words;
	__u8 flags;
	__u16 window;
	__u16 checksum;
	__u16 urgent;
};

struct udp_header {
	__u16 source;
	__u16 destination;
	__u16 length;
	__u16 checksum;
};

struct icmp_header {
	__u8 type;
	__u8 code;
	__u16 checksum;
};

/* An address as two words of its bytes in network order. An IPv4 address is ::ffff:a.b.c.d. */
struct address {
	__u64 high;
	__u64 low;
};

#define IPV4_MAPPED 0xffff0000ULL
#define is_ipv4(address) (!(address)->high && (__u32)(address)->low == IPV4_MAPPED)

/* Everything that is read of one packet. */
struct packet {
	struct address source;
	struct address destination;
	__u32 interface;
	__u32 length;	       /* of the frame */
	volatile __u32 offset; /* of the next header */
	volatile __s32 left;   /* bytes that the network header claims to follow */
	volatile __u32 sequence;
	volatile __u32 acknowledgement;
	volatile __u32 anomalies; /* a bit for each */
	volatile __u32 fragment_id;
	volatile __u32 extensions; /* which have been seen */
	volatile __u32 option;	   /* where the next one is */
	volatile __u16 network;	   /* Ethernet's type */
	volatile __u16 vlan;
	volatile __u16 source_port;
	volatile __u16 destination_port;
	volatile __u16 fragment_offset; /* bytes */
	volatile __u8 fragment;		/* whether it is one */
	volatile __u8 more_fragments;
	volatile __u8 protocol;
	volatile __u8 flags;
	volatile __u8 tunnel;
	volatile __u8 transport; /* whether the transport's header was read */
};

/* More than all headers together that are skipped; the mask tells the verifier. */
#define OFFSET_MASK 0x7fff

/* The next header, or NULL if the frame ends before it does. It may be of any size up to 64 bytes. */
#define next_header(packet, context, size)                                                                            \
	({                                                                                                            \
		void *begin = (void *)(long)(context)->data + ((packet)->offset & OFFSET_MASK);                       \
		begin + (size) > (void *)(long)(context)->data_end ? NULL : begin;                                    \
	})

static __always_inline void note(struct packet *packet, enum anomaly anomaly)
{
	packet->anomalies |= 1u << anomaly;
}

/* How much of the frame has not been read. */
static __always_inline __u32 rest(const struct packet *packet)
{
	return packet->length - packet->offset;
}

/* Whether there is a network header. */
static __always_inline bool read_ethernet(struct packet *packet, struct xdp_md *context)
{
	struct ethernet_header *ethernet = next_header(packet, context, sizeof(*ethernet));

	if (!ethernet)
		goto truncated;
	packet->network = ethernet->type;
	packet->offset = sizeof(*ethernet);
	for (int tags = 0; tags < VLAN_LIMIT; tags++) {
		struct vlan_tag *tag;

		if (packet->network != ETHERTYPE(0x8100) && packet->network != ETHERTYPE(0x88a8) &&
		    packet->network != ETHERTYPE(0x9100))
			return true;
		tag = next_header(packet, context, sizeof(*tag));
		if (!tag)
			goto truncated;
		if (!tags)
			packet->vlan = __builtin_bswap16(tag->control) & 0xfff;
		packet->network = tag->type;
		packet->offset += sizeof(*tag);
	}
	return true;
truncated:
	note(packet, ANOMALY_TRUNCATED);
	return false;
}

/* Looks for a source route among the options of an IPv4 header of this size. */
static __always_inline void read_options(struct packet *packet, struct xdp_md *context, __u32 size)
{
	packet->option = sizeof(struct ipv4_header);
	for (int round = 0; round < OPTION_BYTES; round++) {
		__u32 option = packet->option & 63;
		__u8 *at = (void *)(long)context->data + (packet->offset & OFFSET_MASK) + option;
		__u8 kind, length;

		if (option + 1 > size || (void *)(at + 2) > (void *)(long)context->data_end)
			return;
		kind = at[0];
		length = kind == 1 ? 1 : at[1];
		if (!kind)
			return;
		if (kind != 1 && (option + 2 > size || length < 2 || option + length > size)) {
			note(packet, ANOMALY_BAD_OPTIONS);
			return;
		}
		if (kind == 131 || kind == 137) /* RFC 791: loose and strict source route */
			note(packet, ANOMALY_SOURCE_ROUTED);
		packet->option = option + length;
	}
}

/* Whether there is a transport's header. */
static __always_inline bool read_ipv4(struct packet *packet, struct xdp_md *context)
{
	struct ipv4_header *header = next_header(packet, context, sizeof(*header));
	__u32 size, length, fragment;

	if (!header) {
		note(packet, ANOMALY_TRUNCATED);
		return false;
	}
	packet->source.low = (__u64)header->source << 32 | IPV4_MAPPED;
	packet->destination.low = (__u64)header->destination << 32 | IPV4_MAPPED;
	packet->protocol = header->protocol;
	size = (header->version_words & 0xf) * 4;
	if (header->version_words >> 4 != 4 || size < sizeof(*header)) {
		note(packet, ANOMALY_BAD_LENGTH);
		return false;
	}
	if (size > rest(packet)) {
		note(packet, ANOMALY_TRUNCATED);
		return false;
	}
	length = __builtin_bswap16(header->length);
	/* Packets larger than the field can say have 0 in it (BIG TCP, since Linux 6.3). */
	if (!length && rest(packet) > 0xffff)
		length = rest(packet);
	if (length < size || length > rest(packet))
		note(packet, ANOMALY_BAD_LENGTH);
	packet->left = (__s32)length - (__s32)size;
	fragment = __builtin_bswap16(header->fragment);
	if (fragment & 0x3fff) {
		packet->fragment = 1;
		packet->more_fragments = !!(fragment & 0x2000);
		packet->fragment_offset = (fragment & 0x1fff) << 3;
		packet->fragment_id = header->id;
	}
	if (size > sizeof(*header))
		read_options(packet, context, size);
	packet->offset += size;
	return true;
}

/* Returns the bytes of an extension header, or 0 if the protocol is no extension. */
static __always_inline __u32 extension_size(__u8 protocol, __u8 length)
{
	switch (protocol) {
	case PROTOCOL_FRAGMENT:
		return 8;
	case PROTOCOL_AUTHENTICATION:
		return (length + 2) * 4;
	case PROTOCOL_HOP_BY_HOP:
	case PROTOCOL_ROUTING:
	case PROTOCOL_DESTINATION_OPTIONS:
	case PROTOCOL_MOBILITY:
	case PROTOCOL_HOST_IDENTITY:
	case PROTOCOL_SHIM6:
		return (length + 1) * 8;
	}
	return 0;
}

static __always_inline bool is_extension(__u8 protocol)
{
	return extension_size(protocol, 0);
}

static __always_inline void read_extension(struct packet *packet, struct ipv6_extension *extension, int round)
{
	__u8 protocol = packet->protocol;
	/* Destination options may stand twice, before and behind a routing header. */
	__u32 bit = protocol == PROTOCOL_DESTINATION_OPTIONS ? 0 : 1u << (protocol & 31);
	__u16 fragment;

	if (packet->extensions & bit || (protocol == PROTOCOL_HOP_BY_HOP && round))
		note(packet, ANOMALY_BAD_CHAIN);
	packet->extensions |= bit;
	if (protocol == PROTOCOL_ROUTING && !extension->type)
		note(packet, ANOMALY_SOURCE_ROUTED);
	if (protocol == PROTOCOL_FRAGMENT) {
		fragment = (__u16)extension->type << 8 | extension->rest;
		/* A lone fragment that is the whole is allowed (RFC 6946). */
		if (fragment & 0xfff9) {
			packet->fragment = 1;
			packet->more_fragments = fragment & 1;
			packet->fragment_offset = fragment & 0xfff8;
			packet->fragment_id = extension->id;
		}
	}
}

static __always_inline bool read_ipv6(struct packet *packet, struct xdp_md *context)
{
	struct ipv6_header *header = next_header(packet, context, sizeof(*header));
	__u32 length;

	if (!header)
		goto truncated;
	packet->source.high = header->source[0];
	packet->source.low = header->source[1];
	packet->destination.high = header->destination[0];
	packet->destination.low = header->destination[1];
	packet->protocol = header->next;
	if ((header->version_flow & 0xf0) != 0x60) {
		note(packet, ANOMALY_BAD_LENGTH);
		return false;
	}
	packet->offset += sizeof(*header);
	length = __builtin_bswap16(header->length);
	/* The true length of a jumbogram stands in a hop-by-hop option (RFC 2675). */
	if (!length && packet->protocol == PROTOCOL_HOP_BY_HOP)
		length = rest(packet);
	if (length > rest(packet))
		note(packet, ANOMALY_BAD_LENGTH);
	packet->left = length;
	for (int round = 0; round < EXTENSION_LIMIT; round++) {
		struct ipv6_extension *extension;
		__u32 size;

		/* Behind the header of a later fragment there is the middle of something. */
		if (!is_extension(packet->protocol) || packet->fragment_offset)
			return packet->protocol != PROTOCOL_NO_NEXT;
		extension = next_header(packet, context, sizeof(*extension));
		if (!extension)
			goto truncated;
		read_extension(packet, extension, round);
		size = extension_size(packet->protocol, extension->length);
		packet->protocol = extension->next;
		packet->left -= size;
		packet->offset += size;
	}
	if (!is_extension(packet->protocol))
		return packet->protocol != PROTOCOL_NO_NEXT;
	note(packet, ANOMALY_BAD_CHAIN);
	return false;
truncated:
	note(packet, ANOMALY_TRUNCATED);
	return false;
}

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
