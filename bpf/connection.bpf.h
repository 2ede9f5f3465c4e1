/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * TCP connections: whose they are, and what is told of them.
 *
 * Most changes of state happen in interrupts, where the current task has nothing to do with them. So the process is
 * remembered by the address of the socket when it connects or listens, which it does itself. The tracepoint also tells of
 * every closing, before the socket is freed: an entry never outlives its socket.
 */
#ifndef PYLOADER_CONNECTION_BPF_H
#define PYLOADER_CONNECTION_BPF_H

#include "charge.bpf.h"
#include "deliver.bpf.h"
#include "owner.bpf.h"
#include "socket.bpf.h"

/* include/uapi/asm-generic/errno.h */
#define ENETUNREACH 101
#define ETIMEDOUT 110
#define ECONNREFUSED 111
#define EHOSTUNREACH 113

#define SOCK_DONE (1 << 1) /* enum sock_flags in include/net/sock.h */

struct connection {
	struct owner owner;
	__u64 since; /* boot-time clock: of the attempt, then of its success; 0 if that was before us */
	__u8 direction;
	__u8 told;	/* CONNECTION_OPENED was written */
	__u8 accepted;	/* the process that uses it is known, not only the one that listened */
};

/* What leaves for want of room is told at its end without its process. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, __u64);
	__type(value, struct connection);
} connections SEC(".maps");

/* The new socket of an inbound connection does not point at the one that listened: they share the address. */
struct listening_at {
	__u64 net;
	union address address; /* all zero for any */
	__u64 port;
};

struct listener {
	struct owner owner;
	__u64 socket;
	__u64 shared; /* several processes listen here (SO_REUSEPORT) */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct listening_at);
	__type(value, struct listener);
} listeners SEC(".maps");

static __always_inline void remember(struct sock *sk, enum direction direction, __u64 since, bool told)
{
	__u64 key = (__u64)sk;
	struct connection connection = { .since = since, .direction = direction, .told = told, .accepted = true };

	read_owner(&connection.owner);
	bpf_map_update_elem(&connections, &key, &connection, BPF_ANY);
}

static __always_inline enum outcome outcome_of(int error)
{
	switch (error) {
	case 0:
		return OUTCOME_ABANDONED;
	case ECONNREFUSED:
		return OUTCOME_REFUSED;
	case ETIMEDOUT:
		return OUTCOME_TIMED_OUT;
	case EHOSTUNREACH:
	case ENETUNREACH:
		return OUTCOME_UNREACHABLE;
	default:
		return OUTCOME_OTHER;
	}
}

/* That of the process, or of the other end where no process is known. */
static __always_inline __u64 lane_of_connection(struct sock *sk, const struct owner *owner)
{
	struct endpoint remote;
	__u64 high, low;

	if (settings.lanes <= 1)
		return NO_LANE;
	if (owner->pid)
		return owner->lane;
	read_remote(sk, &remote);
	__builtin_memcpy(&high, remote.address.bytes, sizeof(high));
	__builtin_memcpy(&low, remote.address.bytes + sizeof(high), sizeof(low));
	return lane_of_source(high, low);
}

static __always_inline void tell_opened(void *context, struct sock *sk, const struct connection *connection,
					enum outcome outcome, int error)
{
	__u64 time = boot_time();
	bool outbound = connection->direction == DIRECTION_OUTBOUND;
	struct endpoint local, remote;
	__u64 lane = lane_of_connection(sk, &connection->owner);
	__u8 *at = reserve(lane, CONNECTION_OPENED, CONNECTION_OPENED_FIXED);

	if (!at)
		return;
	read_local(sk, &local);
	read_remote(sk, &remote);

	struct connection_opened record = {
		.timestamp = time,
		OWNED_BY(&connection->owner),
		.net_namespace = net_namespace_of(sk),
		.family = family_of(sk),
		.protocol = IPPROTO_TCP,
		.direction = connection->direction,
		.outcome = outcome,
		.error = error,
		.local_port = local.port,
		.remote_port = remote.port,
		.duration = outbound && connection->since ? time - connection->since : 0,
	};

	__builtin_memcpy(record.comm, connection->owner.comm, sizeof(record.comm));
	__builtin_memcpy(record.local_address, local.address.bytes, sizeof(record.local_address));
	__builtin_memcpy(record.remote_address, remote.address.bytes, sizeof(record.remote_address));
	put_connection_opened(at, &record);
	submit(context, lane, CONNECTION_OPENED, at, CONNECTION_OPENED_FIXED);
}

/* A FIN is counted as a byte received (tcp_rcv_nxt_update()); tcp_fin() leaves this mark. */
static __always_inline bool got_fin(struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_flags) & SOCK_DONE;
}

static __always_inline void tell_closed(void *context, struct sock *sk, const struct connection *connection)
{
	struct tcp_sock *tcp = (void *)sk;
	__u64 time = boot_time();
	struct endpoint local, remote;
	__u64 lane = lane_of_connection(sk, &connection->owner);
	__u8 *at = reserve(lane, CONNECTION_CLOSED, CONNECTION_CLOSED_FIXED);

	if (!at)
		return;
	read_local(sk, &local);
	read_remote(sk, &remote);

	struct connection_closed record = {
		.timestamp = time,
		OWNED_BY(&connection->owner),
		.net_namespace = net_namespace_of(sk),
		.family = family_of(sk),
		.protocol = IPPROTO_TCP,
		.direction = connection->direction,
		.error = BPF_CORE_READ(sk, sk_err),
		.local_port = local.port,
		.remote_port = remote.port,
		.duration = connection->since ? time - connection->since : 0,
		.sent = BPF_CORE_READ(tcp, bytes_sent) - BPF_CORE_READ(tcp, bytes_retrans),
		.received = BPF_CORE_READ(tcp, bytes_received) - got_fin(sk),
	};

	__builtin_memcpy(record.comm, connection->owner.comm, sizeof(record.comm));
	__builtin_memcpy(record.local_address, local.address.bytes, sizeof(record.local_address));
	__builtin_memcpy(record.remote_address, remote.address.bytes, sizeof(record.remote_address));
	put_connection_closed(at, &record);
	submit(context, lane, CONNECTION_CLOSED, at, CONNECTION_CLOSED_FIXED);
}

static __always_inline void tell_listening(void *context, struct sock *sk, const struct owner *owner,
					   const struct endpoint *local)
{
	__u8 *at = reserve(owner->lane, SOCKET_LISTENING, SOCKET_LISTENING_FIXED);

	if (!at)
		return;

	struct socket_listening record = {
		.timestamp = boot_time(),
		OWNED_BY(owner),
		.net_namespace = net_namespace_of(sk),
		.family = family_of(sk),
		.protocol = IPPROTO_TCP,
		.local_port = local->port,
		.backlog = BPF_CORE_READ(sk, sk_max_ack_backlog),
	};

	__builtin_memcpy(record.comm, owner->comm, sizeof(record.comm));
	__builtin_memcpy(record.local_address, local->address.bytes, sizeof(record.local_address));
	put_socket_listening(at, &record);
	submit(context, owner->lane, SOCKET_LISTENING, at, SOCKET_LISTENING_FIXED);
}

static __always_inline void locate(struct sock *sk, const struct endpoint *local, struct listening_at *place)
{
	place->net = (__u64)BPF_CORE_READ(sk, __sk_common.skc_net.net);
	place->address = local->address;
	place->port = local->port;
}

static __always_inline void observe_listen(void *context, struct sock *sk)
{
	struct listener listener = { .socket = (__u64)sk };
	struct listening_at place = {};
	struct listener *other;
	struct endpoint local = {};

	read_owner(&listener.owner);
	read_local(sk, &local);
	tell_listening(context, sk, &listener.owner, &local);
	locate(sk, &local, &place);
	other = bpf_map_lookup_elem(&listeners, &place);
	if (other && other->owner.pid != listener.owner.pid)
		other->shared = true;
	else if (local.port)
		bpf_map_update_elem(&listeners, &place, &listener, BPF_ANY);
}

static __always_inline void forget_listener(struct sock *sk)
{
	struct listening_at place = {};
	struct listener *listener;
	struct endpoint local = {};

	read_local(sk, &local);
	locate(sk, &local, &place);
	listener = bpf_map_lookup_elem(&listeners, &place);
	if (listener && listener->socket == (__u64)sk)
		bpf_map_delete_elem(&listeners, &place);
}

static __always_inline struct listener *listener_of(struct sock *sk)
{
	struct listening_at place = {};
	struct listener *listener;
	struct endpoint local = {};

	read_local(sk, &local);
	locate(sk, &local, &place);
	listener = bpf_map_lookup_elem(&listeners, &place);
	if (!listener && is_mapped(&local.address)) {
		map_ipv4(&place.address, 0);
		listener = bpf_map_lookup_elem(&listeners, &place);
	}
	if (!listener) {
		__builtin_memset(&place.address, 0, sizeof(place.address));
		listener = bpf_map_lookup_elem(&listeners, &place);
	}
	return listener && !listener->shared ? listener : NULL;
}

static __always_inline void observe_arrival(void *context, struct sock *sk)
{
	__u64 key = (__u64)sk;
	struct connection connection = { .since = boot_time(), .direction = DIRECTION_INBOUND };
	struct listener *listener = listener_of(sk);

	if (listener) {
		connection.owner = listener->owner;
		connection.told = true;
		tell_opened(context, sk, &connection, OUTCOME_ESTABLISHED, 0);
	}
	bpf_map_update_elem(&connections, &key, &connection, BPF_ANY);
}

static __always_inline void observe_established(void *context, struct sock *sk, int old)
{
	__u64 key = (__u64)sk;
	struct connection *known = bpf_map_lookup_elem(&connections, &key);

	if (known && known->direction == DIRECTION_OUTBOUND) {
		tell_opened(context, sk, known, OUTCOME_ESTABLISHED, 0);
		known->told = true;
		known->since = boot_time();
	} else if (old == TCP_SYN_SENT) {
		struct connection nobody = { .direction = DIRECTION_OUTBOUND };

		tell_opened(context, sk, &nobody, OUTCOME_ESTABLISHED, 0);
	} else {
		observe_arrival(context, sk);
	}
}

/* Who takes up a connection from outside becomes its owner, and only now is it told if nobody known has listened. */
static __always_inline void take_up(void *context, struct sock *sk, struct connection *connection)
{
	if (connection->accepted || is_kernel_thread((void *)bpf_get_current_task()))
		return;
	connection->accepted = true;
	read_owner(&connection->owner);
	if (!connection->told) {
		connection->told = true;
		tell_opened(context, sk, connection, OUTCOME_ESTABLISHED, 0);
	}
}

static __always_inline void observe_accept(void *context, struct sock *sk)
{
	__u64 key = (__u64)sk;
	struct connection *connection = bpf_map_lookup_elem(&connections, &key);

	if (connection && in_charge())
		take_up(context, sk, connection);
}

/* Only a process sends a FIN of its own (tcp_close_state()): here one that connected before us is found out. */
static __always_inline void observe_leave(void *context, struct sock *sk)
{
	__u64 key = (__u64)sk;
	struct connection *connection = bpf_map_lookup_elem(&connections, &key);

	if (connection)
		take_up(context, sk, connection);
	else if (!is_kernel_thread((void *)bpf_get_current_task()))
		remember(sk, DIRECTION_UNKNOWN, 0, true);
}

static __always_inline void observe_close(void *context, struct sock *sk, int old)
{
	__u64 key = (__u64)sk;
	struct connection *known = bpf_map_lookup_elem(&connections, &key), connection = { .told = true };
	int error = BPF_CORE_READ(sk, sk_err);

	if (known)
		connection = *known;
	bpf_map_delete_elem(&connections, &key);
	if (old == TCP_SYN_SENT || old == TCP_SYN_RECV) {
		if (!known && old == TCP_SYN_SENT)
			connection.direction = DIRECTION_OUTBOUND;
		/* A handshake from outside that fails is none of a process. */
		if (connection.direction == DIRECTION_OUTBOUND)
			tell_opened(context, sk, &connection, outcome_of(error), error);
		return;
	}
	if (!connection.told)
		tell_opened(context, sk, &connection, OUTCOME_ESTABLISHED, 0);
	tell_closed(context, sk, &connection);
}

static __always_inline void observe_state(void *context, struct sock *sk, int old, int new)
{
	if (old == new || protocol_of(sk) != IPPROTO_TCP || !speaks_for(HOOK_CONNECTION_STATE + new, (__u64)sk))
		return;
	switch (new) {
	case TCP_SYN_SENT:
		remember(sk, DIRECTION_OUTBOUND, boot_time(), false);
		break;
	case TCP_LISTEN:
		observe_listen(context, sk);
		break;
	case TCP_ESTABLISHED:
		observe_established(context, sk, old);
		break;
	case TCP_FIN_WAIT1:
	case TCP_LAST_ACK:
		observe_leave(context, sk);
		break;
	case TCP_CLOSE:
		if (old == TCP_LISTEN)
			forget_listener(sk);
		else
			observe_close(context, sk, old);
		break;
	default:
		break;
	}
}

#endif
