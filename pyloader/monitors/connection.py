"""The connection monitor (`bpf/connection_monitor.bpf.c`)."""

from pathlib import Path

from pyloader.monitors.ladder import Hook, Monitor, Rung, none

_KPROBES = Path("/sys/bus/event_source/devices/kprobe")

_ACCEPTORS = "which process accepted, before it reads"
_DATAGRAMS = "bytes, sockets bound to one address, and single datagrams of sockets with a fixed peer"
_MULTICAST = "datagrams to a group on an interface that the process names"
_ROUTES = "one comparison per search for a route"
_SENDS = "one comparison per message sent on any socket, and per search for a route"
_READS = "one map look-up per read from a TCP socket"

CONNECTION = Monitor(
    name="connection",
    object="connection_monitor.bpf.o",
    hooks=(
        Hook(
            "state",
            (
                Rung("tp_btf/inet_sock_set_state", "state_btf"),
                Rung("tp/sock/inet_sock_set_state", "state_tp"),
            ),
        ),
        Hook(
            "accept",
            (
                Rung("fentry/security_sock_graft", "accept_fentry"),
                Rung("kprobe/security_sock_graft", "accept_kprobe", needs=_KPROBES),
                Rung("tp_btf/tcp_rcv_space_adjust", "accept_btf", blind_to=_ACCEPTORS, cost=_READS),
                Rung("tp/tcp/tcp_rcv_space_adjust", "accept_tp", blind_to=_ACCEPTORS, cost=_READS),
            ),
        ),
        Hook(
            "datagram",
            (
                Rung("fentry/udp_sendmsg", "datagram_fentry"),
                Rung("kprobe/udp_sendmsg", "datagram_kprobe", needs=_KPROBES),
                Rung(
                    "tp_btf/sock_send_length",
                    "datagram_btf",
                    blind_to=_MULTICAST,
                    cost=_SENDS,
                    beside=("route_btf",),
                ),
                Rung("tp/fib/fib_table_lookup", "datagram_tp", blind_to=_DATAGRAMS, cost=_ROUTES),
            ),
        ),
        Hook(
            "datagram6",
            (
                Rung("fentry/udpv6_sendmsg", "datagram6_fentry"),
                Rung("kprobe/udpv6_sendmsg", "datagram6_kprobe", needs=_KPROBES),
                Rung(
                    "tp_btf/sock_send_length",
                    "datagram6_btf",
                    blind_to=_MULTICAST,
                    cost=_SENDS,
                    beside=("route6_btf",),
                ),
                Rung("tp/fib6/fib6_table_lookup", "datagram6_tp", blind_to=_DATAGRAMS, cost=_ROUTES),
                none("datagrams over IPv6, which this kernel may not have"),
            ),
        ),
        Hook(
            "raw",
            (
                Rung("fentry/security_socket_post_create", "raw_fentry"),
                Rung("kprobe/security_socket_post_create", "raw_kprobe", needs=_KPROBES),
                Rung(
                    "tp_btf/cap_capable",
                    "raw_btf",
                    blind_to="sockets made by 32-bit programs or through io_uring",
                    cost="one comparison per check of a capability",
                ),
                Rung(
                    "tp/syscalls/sys_exit_socket",
                    "raw_tp",
                    blind_to="the protocol of packet sockets; sockets made through io_uring",
                    cost="50 to 130 ns on every system call of every process",
                ),
            ),
        ),
    ),
)
