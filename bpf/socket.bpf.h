/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a socket is, and what it connects. */
#ifndef PYLOADER_SOCKET_BPF_H
#define PYLOADER_SOCKET_BPF_H

/* include/linux/socket.h, net.h, include/uapi/linux/in.h */
#define AF_INET 2
#define AF_INET6 10
#define AF_PACKET 17
#define AF_XDP 44
#define SOCK_RAW 3
#define SOCK_PACKET 10
#define SOCK_TYPE_MASK 0xf
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17

/* include/net/tcp_states.h */
enum tcp_state {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT,
	TCP_SYN_RECV,
	TCP_FIN_WAIT1,
	TCP_FIN_WAIT2,
	TCP_TIME_WAIT,
	TCP_CLOSE,
	TCP_CLOSE_WAIT,
	TCP_LAST_ACK,
	TCP_LISTEN,
};

/* An IPv6 address in network order, or an IPv4 address mapped into one. */
union address {
	char bytes[16];
	__u32 words[4];
};

struct endpoint {
	union address address;
	__u32 port;
};

static __always_inline void map_ipv4(union address *address, __be32 ipv4)
{
	address->words[0] = 0;
	address->words[1] = 0;
	address->words[2] = __builtin_bswap32(0xffff);
	address->words[3] = ipv4;
}

static __always_inline bool is_mapped(const union address *address)
{
	return !address->words[0] && !address->words[1] && address->words[2] == __builtin_bswap32(0xffff);
}

/* A field of 16 bits since Linux 5.6 (bf9765145b85), a bit-field of eight before. */
static __always_inline __u16 protocol_of(struct sock *sk)
{
	return BPF_CORE_READ_BITFIELD_PROBED(sk, sk_protocol);
}

static __always_inline __u16 family_of(struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_family);
}

static __always_inline __u32 net_namespace_of(struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
}

/* The port stays in inet_sport when the kernel takes it back on the way to TCP_CLOSE (tcp_set_state()). */
static __always_inline void read_local(struct sock *sk, struct endpoint *end)
{
	end->port = __builtin_bswap16(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
	if (family_of(sk) == AF_INET6 && bpf_core_field_exists(sk->__sk_common.skc_v6_rcv_saddr))
		bpf_core_read(&end->address, sizeof(end->address), &sk->__sk_common.skc_v6_rcv_saddr);
	else
		map_ipv4(&end->address, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
}

static __always_inline void read_remote(struct sock *sk, struct endpoint *end)
{
	end->port = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (family_of(sk) == AF_INET6 && bpf_core_field_exists(sk->__sk_common.skc_v6_daddr))
		bpf_core_read(&end->address, sizeof(end->address), &sk->__sk_common.skc_v6_daddr);
	else
		map_ipv4(&end->address, BPF_CORE_READ(sk, __sk_common.skc_daddr));
}

#endif
