/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What stands before the transport: Ethernet with up to two VLAN tags, IPv4 with options, IPv6 with extension headers.
 */
#ifndef PYLOADER_INTERNET_BPF_H
#define PYLOADER_INTERNET_BPF_H

#include "packet.bpf.h"

#define VLAN_LIMIT 2
#define EXTENSION_LIMIT 8
#define OPTION_BYTES 40

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

#endif
