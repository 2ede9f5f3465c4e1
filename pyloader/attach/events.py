"""When interfaces or addresses change.

The kernel's messages wake us, and then the state is asked for anew: what was missed because too much happened at once
makes no difference. Only a move to another network namespace is read from the message itself, for there is no other
trace.
"""

import socket
import struct
from typing import NamedTuple

_GROUPS = 0x1 | 0x10 | 0x100
"""RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR in include/uapi/linux/rtnetlink.h."""

_RTM_DELLINK = 17
_IFLA_NEW_NETNSID, _IFLA_NEW_IFINDEX = 45, 49
_MESSAGE = struct.Struct("=IHHII")
_INTERFACE = struct.Struct("=BxHiII")
_ATTRIBUTE = struct.Struct("=HH")

_BYTES = 1 << 16
_READS = 64
"""As many messages are looked at in one go; the rest waits for the next."""


class Moved(NamedTuple):
    """An interface went to another network namespace, `namespace` by our number, where it has a number of its own."""

    number: int
    namespace: int
    new_number: int


class LinkEvents:
    """A descriptor that becomes readable when an interface or an address changes."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
        try:
            self._socket.bind((0, _GROUPS))
        except BaseException:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._socket.fileno()

    def take(self) -> tuple[bool, list[Moved]]:
        """Return whether anything changed, and which interfaces went to another namespace."""
        changed, moved = False, []
        for _ in range(_READS):
            try:
                data = self._socket.recv(_BYTES)
            except BlockingIOError:
                break
            except OSError:
                # The socket's buffer was full and messages are lost (ENOBUFS): the state is asked for in any case.
                changed = True
                continue
            changed = True
            moved += moves(data)
        return changed, moved

    def close(self) -> None:
        """Close the socket. Further calls do nothing."""
        self._socket.close()


def moves(data: bytes) -> list[Moved]:
    """Return which of a batch of messages tell of a move to another namespace."""
    found, at = [], 0
    while at + _MESSAGE.size <= len(data):
        length, kind, *_ = _MESSAGE.unpack_from(data, at)
        if length < _MESSAGE.size:
            break
        body = data[at + _MESSAGE.size : at + length]
        if kind == _RTM_DELLINK and len(body) >= _INTERFACE.size:
            _, _, index, _, _ = _INTERFACE.unpack_from(body)
            attributes = _attributes(body[_INTERFACE.size :])
            if _IFLA_NEW_NETNSID in attributes:
                # The new number is told since Linux 5.3 or when it is another one.
                found.append(Moved(index, attributes[_IFLA_NEW_NETNSID], attributes.get(_IFLA_NEW_IFINDEX, index)))
        at += length + 3 & ~3
    return found


def _attributes(data: bytes) -> dict[int, int]:
    """Return the attributes that are 32-bit numbers."""
    found, at = {}, 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if length < _ATTRIBUTE.size:
            break
        if length == _ATTRIBUTE.size + 4 and at + length <= len(data):
            (found[kind],) = struct.unpack_from("=i", data, at + _ATTRIBUTE.size)
        at += length + 3 & ~3
    return found
