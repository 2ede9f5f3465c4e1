// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The connection monitor: TCP connections, what waits for them, UDP peers and raw sockets, each with its process.
 *
 * Every observation is written once and stands behind several hooks; pyloader/monitors/connection.py declares the
 * ladders.
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "connection.bpf.h"
#include "datagram.bpf.h"
#include "raw_socket.bpf.h"

/* The state of a TCP socket changes: inet_sk_state_store() and inet_sk_set_state() in net/ipv4/af_inet.c. */

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state_btf, struct sock *sk, int old, int new)
{
	observe_state(ctx, sk, old, new);
	return 0;
}

SEC("tp/sock/inet_sock_set_state")
int state_tp(struct trace_event_raw_inet_sock_set_state *ctx)
{
	observe_state(ctx, (struct sock *)BPF_CORE_READ(ctx, skaddr), BPF_CORE_READ(ctx, oldstate),
		      BPF_CORE_READ(ctx, newstate));
	return 0;
}

/*
 * A process takes up a connection. accept(2) ends in sock_graft(), whose security hook has had the same arguments
 * in every kernel, unlike inet_csk_accept(). Where it cannot be hooked, the first process that reads is taken.
 */

SEC("fentry/security_sock_graft")
int BPF_PROG(accept_fentry, struct sock *sk)
{
	observe_accept(ctx, sk);
	return 0;
}

SEC("kprobe/security_sock_graft")
int BPF_KPROBE(accept_kprobe, struct sock *sk)
{
	observe_accept(ctx, sk);
	return 0;
}

SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(accept_btf, struct sock *sk)
{
	observe_accept(ctx, sk);
	return 0;
}

SEC("tp/tcp/tcp_rcv_space_adjust")
int accept_tp(struct trace_event_raw_tcp_event_sk *ctx)
{
	observe_accept(ctx, (struct sock *)BPF_CORE_READ(ctx, skaddr));
	return 0;
}

/* A process sends a datagram over IPv4, also from an IPv6 socket. */

SEC("fentry/udp_sendmsg")
int BPF_PROG(datagram_fentry, struct sock *sk, struct msghdr *message, unsigned long size)
{
	observe_send(ctx, sk, message, size);
	return 0;
}

SEC("kprobe/udp_sendmsg")
int BPF_KPROBE(datagram_kprobe, struct sock *sk, struct msghdr *message, unsigned long size)
{
	observe_send(ctx, sk, message, size);
	return 0;
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(datagram_btf, struct sock *sk, int size)
{
	if (size >= 0 && sk->sk_protocol == IPPROTO_UDP)
		observe_sent(ctx, sk, size, true);
	return 0;
}

SEC("tp_btf/fib_table_lookup")
int BPF_PROG(route_btf, __u32 table, struct flowi4 *flow, void *next, int error)
{
	struct endpoint remote = {};

	if (error || !is_sent_datagram(&flow->__fl_common))
		return 0;
	map_ipv4(&remote.address, flow->daddr);
	keep_search(&flow->uli, &remote);
	return 0;
}

SEC("tp/fib/fib_table_lookup")
int datagram_tp(struct trace_event_raw_fib_table_lookup *ctx)
{
	struct endpoint local = {}, remote = {};

	if (read_search(ctx, &local, &remote))
		observe_route(ctx, AF_INET, &local, &remote);
	return 0;
}

/* The same over IPv6. */

SEC("fentry/udpv6_sendmsg")
int BPF_PROG(datagram6_fentry, struct sock *sk, struct msghdr *message, unsigned long size)
{
	observe_send6(ctx, sk, message, size);
	return 0;
}

SEC("kprobe/udpv6_sendmsg")
int BPF_KPROBE(datagram6_kprobe, struct sock *sk, struct msghdr *message, unsigned long size)
{
	observe_send6(ctx, sk, message, size);
	return 0;
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(datagram6_btf, struct sock *sk, int size)
{
	if (size >= 0 && sk->sk_protocol == IPPROTO_UDP)
		observe_sent(ctx, sk, size, false);
	return 0;
}

SEC("tp_btf/fib6_table_lookup")
int BPF_PROG(route6_btf, struct net *net, void *result, void *table, struct flowi6 *flow)
{
	struct endpoint remote = {};

	if (!is_sent_datagram(&flow->__fl_common))
		return 0;
	bpf_core_read(&remote.address, sizeof(remote.address), &flow->daddr);
	keep_search(&flow->uli, &remote);
	return 0;
}

SEC("tp/fib6/fib6_table_lookup")
int datagram6_tp(struct trace_event_raw_fib6_table_lookup *ctx)
{
	struct endpoint local = {}, remote = {};

	if (read_search6(ctx, &local, &remote))
		observe_route(ctx, AF_INET6, &local, &remote);
	return 0;
}

/* A process makes a socket: __sock_create() in net/socket.c. */

SEC("fentry/security_socket_post_create")
int BPF_PROG(raw_fentry, struct socket *socket, int family, int type, int protocol, int kernel)
{
	if (!kernel)
		observe_socket(ctx, family, type, protocol, net_namespace_of(BPF_CORE_READ(socket, sk)));
	return 0;
}

SEC("kprobe/security_socket_post_create")
int BPF_KPROBE(raw_kprobe, struct socket *socket, int family, int type, int protocol, int kernel)
{
	if (!kernel)
		observe_socket(ctx, family, type, protocol, net_namespace_of(BPF_CORE_READ(socket, sk)));
	return 0;
}

/* The check for CAP_NET_RAW, which all such sockets need, has a tracepoint since Linux 6.14 (d48da4d5ed7e). */
SEC("tp_btf/cap_capable")
int BPF_PROG(raw_btf, const struct cred *cred, struct user_namespace *target, const struct user_namespace *capable,
	     int capability, int refusal)
{
	if (capability == CAP_NET_RAW && !refusal)
		observe_capability(ctx);
	return 0;
}

SEC("tp/syscalls/sys_exit_socket")
int raw_tp(struct trace_event_raw_sys_exit *ctx)
{
	long descriptor = BPF_CORE_READ(ctx, ret);

	if (descriptor >= 0)
		observe_descriptor(ctx, descriptor);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
