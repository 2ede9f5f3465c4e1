/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A packet: its headers as they lie in a frame, what is read of them, and the step to the next one.
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

#endif
