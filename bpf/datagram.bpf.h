/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * UDP peers: to whom a process sends, and how much.
 *
 * The first datagram to a peer is told, and then whenever their number has doubled. A process that sends to very many
 * peers is told in part, but more of it if it is in focus; the number of its peers tells the rest.
 */
#ifndef PYLOADER_DATAGRAM_BPF_H
#define PYLOADER_DATAGRAM_BPF_H

#include "attention.bpf.h"
#include "charge.bpf.h"
#include "deliver.bpf.h"
#include "owner.bpf.h"
#include "socket.bpf.h"

#define LOOPBACK_IFINDEX 1 /* include/net/flow.h: also the origin of whatever this host sends */

#define SECOND_NS 1000000000ULL
#define TOLD_PER_SECOND 256

struct peer {
	union address address;
	__u32 port;
	__u32 pid;
};

struct exchange {
	__u64 start; /* of the process, since ids are used again */
	__u64 datagrams;
	__u64 size;
	__u64 next; /* the number of datagrams at which to tell */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct peer);
	__type(value, struct exchange);
} exchanges SEC(".maps");

struct sender {
	__u64 start;
	__u64 second; /* in which `told` counts */
	__u32 told;
	__u32 peers;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct sender);
} senders SEC(".maps");

static __always_inline struct sender *sender_of(__u32 pid, __u64 start)
{
	struct sender *sender = bpf_map_lookup_elem(&senders, &pid);
	struct sender new = { .start = start };

	if (!sender || sender->start != start) {
		bpf_map_update_elem(&senders, &pid, &new, BPF_ANY);
		sender = bpf_map_lookup_elem(&senders, &pid);
	}
	return sender;
}

static __always_inline bool may_tell(struct sender *sender)
{
	__u64 second = boot_time() / SECOND_NS;

	if (sender->second != second) {
		sender->second = second;
		sender->told = 0;
	}
	if (sender->told >= TOLD_PER_SECOND)
		return false;
	sender->told++;
	return true;
}

static __always_inline void tell_sent(void *context, __u16 family, __u32 net_namespace, const struct endpoint *local,
				      const struct endpoint *remote, const struct exchange *exchange, __u32 peers)
{
	struct owner owner = {};
	__u8 *at;

	read_owner(&owner);
	at = reserve(owner.lane, DATAGRAM_SENT, DATAGRAM_SENT_FIXED);
	if (!at)
		return;

	struct datagram_sent record = {
		.timestamp = boot_time(),
		OWNED_BY(&owner),
		.net_namespace = net_namespace,
		.family = family,
		.protocol = IPPROTO_UDP,
		.local_port = local->port,
		.remote_port = remote->port,
		.datagrams = exchange->datagrams,
		.size = exchange->size,
		.peers = peers,
	};

	__builtin_memcpy(record.comm, owner.comm, sizeof(record.comm));
	__builtin_memcpy(record.local_address, local->address.bytes, sizeof(record.local_address));
	__builtin_memcpy(record.remote_address, remote->address.bytes, sizeof(record.remote_address));
	put_datagram_sent(at, &record);
	submit(context, owner.lane, DATAGRAM_SENT, at, DATAGRAM_SENT_FIXED);
}

static __always_inline void observe_datagram(void *context, __u16 family, __u32 net_namespace,
					     const struct endpoint *local, const struct endpoint *remote, __u64 size)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 start = start_of(task);
	struct peer peer = { .address = remote->address, .port = remote->port, .pid = pid_of(task) };
	struct exchange *exchange = bpf_map_lookup_elem(&exchanges, &peer);
	struct sender *sender;

	if (exchange && exchange->start == start) {
		__atomic_fetch_add(&exchange->datagrams, 1, __ATOMIC_RELAXED);
		/* Of adding a constant nothing the compiler makes an instruction that Linux 5.10 has not. */
		if (size)
			__atomic_fetch_add(&exchange->size, size, __ATOMIC_RELAXED);
		if (exchange->datagrams < exchange->next)
			return;
		sender = sender_of(peer.pid, start);
	} else {
		struct exchange first = { .start = start, .datagrams = 1, .size = size, .next = 1 };

		bpf_map_update_elem(&exchanges, &peer, &first, BPF_ANY);
		exchange = bpf_map_lookup_elem(&exchanges, &peer);
		sender = sender_of(peer.pid, start);
		if (sender)
			__atomic_fetch_add(&sender->peers, 1, __ATOMIC_RELAXED);
	}
	if (!exchange || !sender)
		return;
	if (sender->peers > 1 && is_withheld(peer.pid)) {
		exchange->next = exchange->datagrams * 2;
		return;
	}
	if (!may_tell(sender) && !is_told_more(peer.pid))
		return;
	exchange->next = exchange->datagrams * 2;
	tell_sent(context, family, net_namespace, local, remote, exchange, sender->peers);
}

/* Where a message goes: its own address, or that which the socket is connected to. Kernel memory, also of system calls. */
static __always_inline void read_destination(struct sock *sk, struct msghdr *message, struct endpoint *remote)
{
	void *name = BPF_CORE_READ(message, msg_name);
	/* struct sockaddr_in and sockaddr_in6 (include/uapi/linux/in.h, in6.h) both have the port behind the family. */
	struct {
		__u16 family;
		__be16 port;
		__be32 ipv4;
	} head = {};

	if (!name) {
		read_remote(sk, remote);
		return;
	}
	bpf_probe_read_kernel(&head, sizeof(head), name);
	remote->port = __builtin_bswap16(head.port);
	if (head.family == AF_INET6)
		bpf_probe_read_kernel(&remote->address, sizeof(remote->address), name + 8);
	else
		map_ipv4(&remote->address, head.ipv4);
}

static __always_inline void observe_send(void *context, struct sock *sk, struct msghdr *message, __u64 size)
{
	struct endpoint local = {}, remote = {};

	if (!in_charge())
		return;
	read_destination(sk, message, &remote);
	read_local(sk, &local);
	observe_datagram(context, family_of(sk), net_namespace_of(sk), &local, &remote, size);
}

/* What goes to IPv4 from here, udpv6_sendmsg() hands on to udp_sendmsg(), where it is observed. */
static __always_inline void observe_send6(void *context, struct sock *sk, struct msghdr *message, __u64 size)
{
	struct endpoint local = {}, remote = {};

	if (!in_charge())
		return;
	read_destination(sk, message, &remote);
	if (is_mapped(&remote.address))
		return;
	read_local(sk, &local);
	observe_datagram(context, AF_INET6, net_namespace_of(sk), &local, &remote, size);
}

/*
 * Where these functions cannot be hooked, a tracepoint tells of every message that was sent (call_trace_sock_send_length()
 * in net/socket.c, since Linux 6.3), and its size, but not where to. A socket that has a peer knows; for others the
 * search for a route, which comes before, is kept.
 */
struct search {
	__u32 thread;
	__u32 port; /* of this host: in an interrupt the kernel searches, too, but never from the port of this socket */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct search);
	__type(value, struct endpoint);
} searches SEC(".maps");

static __always_inline bool is_sent_datagram(struct flowi_common *flow)
{
	return BPF_CORE_READ(flow, flowic_proto) == IPPROTO_UDP && BPF_CORE_READ(flow, flowic_iif) == LOOPBACK_IFINDEX;
}

static __always_inline bool same_endpoint(const struct endpoint *a, const struct endpoint *b)
{
	const __u32 *x = a->address.words, *y = b->address.words;

	return a->port == b->port && x[0] == y[0] && x[1] == y[1] && x[2] == y[2] && x[3] == y[3];
}

static __always_inline void keep_search(union flowi_uli *flow, struct endpoint *remote)
{
	struct search search = { .thread = bpf_get_current_pid_tgid() };
	struct endpoint *known;

	search.port = __builtin_bswap16(BPF_CORE_READ(flow, ports.sport));
	remote->port = __builtin_bswap16(BPF_CORE_READ(flow, ports.dport));
	known = bpf_map_lookup_elem(&searches, &search);
	if (!known || !same_endpoint(known, remote))
		bpf_map_update_elem(&searches, &search, remote, BPF_ANY);
}

static __always_inline void observe_sent(void *context, struct sock *sk, __u64 size, bool ipv4)
{
	struct endpoint local = {}, peer = {};
	struct search search = { .thread = bpf_get_current_pid_tgid() };
	struct endpoint *found, *remote = &peer;

	if (!in_charge())
		return;
	read_local(sk, &local);
	read_remote(sk, &peer);
	search.port = local.port;
	found = bpf_map_lookup_elem(&searches, &search);
	if (found) {
		/* The verifier wants the test before any sum, and the compiler would exchange them. */
		barrier_var(found);
		remote = found;
	}
	if (!remote->port || is_mapped(&remote->address) != ipv4)
		return;
	observe_datagram(context, family_of(sk), net_namespace_of(sk), &local, remote, size);
	/* With a peer of its own, the socket may send the next one there without a search. */
	if (found && peer.port)
		bpf_map_delete_elem(&searches, &search);
}

/*
 * Before that there is only the search for a route. A socket without a peer searches at every datagram, one with a peer
 * when that is set, which glibc does with no intent to send to port 0. Only searches for a source address, too, are taken:
 * with one the kernel itself searches, in interrupts, when it refuses a datagram (icmp_route_lookup()), and a second
 * time when it sets a peer.
 */
static __always_inline void observe_route(void *context, __u16 family, const struct endpoint *local,
					  const struct endpoint *remote)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	const __u32 *words = local->address.words;
	bool bound = words[0] || words[1] || words[3];

	if (remote->port && !bound && !is_kernel_thread(task) && in_charge())
		observe_datagram(context, family, BPF_CORE_READ(task, nsproxy, net_ns, ns.inum), local, remote, 0);
}

static __always_inline bool read_search(struct trace_event_raw_fib_table_lookup *search, struct endpoint *local,
					struct endpoint *remote)
{
	__be32 from, to;

	if (BPF_CORE_READ(search, proto) != IPPROTO_UDP || BPF_CORE_READ(search, iif) != LOOPBACK_IFINDEX ||
	    BPF_CORE_READ(search, err))
		return false;
	bpf_core_read(&from, sizeof(from), &search->src);
	bpf_core_read(&to, sizeof(to), &search->dst);
	map_ipv4(&local->address, from);
	map_ipv4(&remote->address, to);
	local->port = BPF_CORE_READ(search, sport);
	remote->port = BPF_CORE_READ(search, dport);
	return true;
}

static __always_inline bool read_search6(struct trace_event_raw_fib6_table_lookup *search, struct endpoint *local,
					 struct endpoint *remote)
{
	if (BPF_CORE_READ(search, proto) != IPPROTO_UDP || BPF_CORE_READ(search, iif) != LOOPBACK_IFINDEX ||
	    BPF_CORE_READ(search, err))
		return false;
	bpf_core_read(&local->address, sizeof(local->address), &search->src);
	bpf_core_read(&remote->address, sizeof(remote->address), &search->dst);
	local->port = BPF_CORE_READ(search, sport);
	remote->port = BPF_CORE_READ(search, dport);
	return true;
}

#endif
