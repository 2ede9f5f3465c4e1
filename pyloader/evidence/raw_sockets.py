"""Sockets that bypass TCP and UDP: who has one, and who is answered as a scanner is.

Sniffers and backdoors that wait for a packet (BPFDoor) have such a socket, and few other programs do. Those that do by
trade are known by their names, as far as they lie where programs are installed; the others are weighed by where they
come from: code that somebody dropped or typed has the least reason for one.

What a process sends through such a socket no connection tells of. But its answers come in: a host that resets again and
again what no connection of this host asked for answers a scan.
"""

from typing import Final

from pyloader.evidence.image import came_from_nowhere
from pyloader.evidence.item import NOTHING, Evidence
from pyloader.evidence.network_kinds import DROPPED_RAW_SOCKET, RAW_SCAN, RAW_SOCKET
from pyloader.evidence.programs import Programs, names
from pyloader.host import Host, Process
from pyloader.host.sources import WHOLE
from pyloader.records import Doubled, SocketCreated, SourceSummary

MADE_FOR_IT: Final = names(
    "ping ping4 ping6 fping traceroute traceroute6 tracepath mtr mtr-packet tcptraceroute arping tcpdump tshark dumpcap"
    " wireshark dhclient dhcpcd dhcpd udhcpc systemd-networkd NetworkManager wpa_supplicant hostapd lldpd radvd"
    " keepalived bird frr zebra ospfd ripd avahi-daemon snort suricata zeek ip iptables ip6tables nft conntrack dnsmasq"
    " ndisc6 rdisc6 qemu dockerd containerd kubelet calico-node cilium-agent charon pluto openvpn vrrpd ptp4l smokeping"
)

REMEMBERED_NS: Final = 600 * 1_000_000_000
FEWEST_RESETS: Final = 16

PASSED_BY: Final = 2.3
"""Nats taken off a socket for ICMP alone: programs that look whether a host is there bring their own echoes."""

_AF_PACKET: Final = 17
_ICMP: Final = frozenset({1, 58})
_OWNERS: Final = 64


class RawSockets:
    """The processes that lately opened such a socket and are not known for it; the oldest leaves first."""

    def __init__(self) -> None:
        self._programs = Programs()
        self._owners: dict[Process, int] = {}

    def created(self, record: SocketCreated, process: Process) -> tuple[Evidence, ...]:
        """Judge a socket by who made it."""
        program, argv = self._programs.of(process)
        dropped = came_from_nowhere(process, program, argv)
        if program.name in MADE_FOR_IT and not dropped:
            return NOTHING
        known = self._owners.pop(process, None)
        if known is None and len(self._owners) >= _OWNERS:
            del self._owners[next(iter(self._owners))]
        self._owners[process] = record.timestamp
        kind = DROPPED_RAW_SOCKET if dropped else RAW_SOCKET
        if record.family == _AF_PACKET:
            return (kind.about(process, "a packet socket"),)
        if record.protocol in _ICMP and not dropped:
            return (kind.about(process, "a raw ICMP socket", kind.nats - PASSED_BY),)
        return (kind.about(process, "a raw IP socket"),)

    def summary(self, record: SourceSummary, host: Host) -> tuple[Evidence, ...]:
        """Judge resets from a host that no connection of this host is known to have asked for."""
        if not self._owners or record.prefix != WHOLE or not record.doubled & Doubled.RST:
            return NOTHING
        source = host.sources.get(record.source)
        if record.rst < FEWEST_RESETS or source is None or source.known or record.handshakes:
            return NOTHING
        process, opened = list(self._owners.items())[-1]
        if record.timestamp - opened > REMEMBERED_NS:
            del self._owners[process]
            return NOTHING
        nats = min(RAW_SCAN.nats, 7.6 + 0.4 * (record.rst.bit_length() - FEWEST_RESETS.bit_length()))
        return (RAW_SCAN.about(process, f"{source} answers with {record.rst:,} resets", nats),)
