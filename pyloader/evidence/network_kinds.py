"""Every kind of evidence about packets and connections; the weights are as in `pyloader.evidence.catalogue`.

Where a test decides the weight, the number here is its cap.
"""

from pyloader.evidence.catalogue import Kind
from pyloader.evidence.item import Group

# Packets that come in ------------------------------------------------------------------------------------------------
PORT_SCAN = Kind("port_scan", Group.INBOUND, 10.0, "T1046", "{who} looks for open ports of this host: {what}")
SPREAD_SCAN = Kind(
    "spread_scan", Group.INBOUND, 9.0, "T1046", "{who} look for open ports of this host, each with few packets: {what}"
)
FLOOD = Kind("flood", Group.INBOUND, 10.5, "T1498", "{what}")
BAD_PACKETS = Kind("bad_packets", Group.INBOUND, 4.5, "T1205", "{who} sends packets that no honest stack sends: {what}")
SPOOFED_PACKETS = Kind(
    "spoofed_packets", Group.INBOUND, 4.8, "T1557", "packets came with a source that they cannot have: {what}"
)
ICMP_TUNNEL = Kind("icmp_tunnel", Group.INBOUND, 4.8, "T1095", "{who} sends more by ICMP than echoes need: {what}")

# What follows a scan -------------------------------------------------------------------------------------------------
SCANNER_ACCEPTED = Kind("scanner_accepted", Group.SEQUENCE, 1.0, "T1190", "after its scan {who} was let in by {what}")
CHILD_AFTER_SCAN = Kind(
    "child_after_scan",
    Group.SEQUENCE,
    6.0,
    "T1190",
    "after its scan {who} was let in, and a program was started: {what}",
)

# Connections that go out ---------------------------------------------------------------------------------------------
OUTBOUND_SCAN = Kind("outbound_scan", Group.OUTBOUND, 10.0, "T1046", "{who} looks for open ports: {what}")
RAW_SCAN = Kind("raw_scan", Group.OUTBOUND, 9.0, "T1046", "{who} has a raw socket, and {what}")
RAW_SOCKET = Kind(
    "raw_socket", Group.OUTBOUND, 5.3, "T1205.002", "{who} opened a socket for packets of its own: {what}"
)
DROPPED_RAW_SOCKET = Kind(
    "dropped_raw_socket",
    Group.OUTBOUND,
    7.8,
    "T1205.002",
    "{who} is code that no package brought, and opened a socket for packets of its own: {what}",
)
BEACON = Kind("beacon", Group.OUTBOUND, 9.0, "T1071", "{who} goes in a rhythm to {what}")
SHELL_CONNECTS = Kind("shell_connects", Group.OUTBOUND, 6.0, "T1059.004", "{who} is a shell and connects to {what}")
SERVICE_CONNECTS = Kind(
    "service_connects", Group.OUTBOUND, 4.5, "T1571", "{who} only ever served, and now connects to {what}"
)
RARE_DESTINATION = Kind(
    "rare_destination", Group.OUTBOUND, 4.0, "T1071", "{who} connects to where it never did: {what}"
)
RARE_PORT = Kind("rare_port", Group.OUTBOUND, 3.0, "T1571", "{who} connects to a port that it never did: {what}")
RARE_LISTENER = Kind(
    "rare_listener", Group.OUTBOUND, 4.0, "T1571", "{who} waits for connections where it never did: {what}"
)
INFAMOUS_PORT = Kind(
    "infamous_port", Group.OUTBOUND, 1.5, "T1571", "{who} connects to a port that tools of attackers like: {what}"
)
DNS_TUNNEL = Kind("dns_tunnel", Group.OUTBOUND, 6.0, "T1071.004", "{who} sends more by DNS than names need: {what}")
