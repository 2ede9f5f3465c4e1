"""One program on one interface.

The plain XDP attribute of pyroute2 sends no flags and replaces whatever is there. Here the nested attribute says that
nothing may be there when we attach, and that our own program must be there when we detach; the kernel checks both
(dev_xdp_attach() in net/core/dev.c, Linux 5.6 and newer).
"""

import errno
import os
from enum import StrEnum
from typing import Any, NamedTuple

from pyloader.errors import AttachError, BusyError, UnsupportedError

_IF_NOEXIST, _GENERIC, _NATIVE, _REPLACE = 1, 2, 4, 16
"""XDP_FLAGS_* in include/uapi/linux/if_link.h."""

_ETHERNET, _LOOPBACK = 1, 772
"""Link types (include/uapi/linux/if_arp.h) whose frames begin with an Ethernet header."""

_OCCUPIED = (errno.EBUSY, errno.EEXIST)

_GONE = (errno.ENODEV, errno.ENOENT, errno.EINVAL)
"""What detaching says when the interface is gone, or when another program is there now."""


class Mode(StrEnum):
    """Where a program stands in the path of a packet."""

    NATIVE = "native"
    """In the driver, before the kernel makes anything of the frame."""
    GENERIC = "generic"
    """Behind the driver, for those that cannot do it themselves; costs much more per packet."""


_FLAG = {Mode.NATIVE: _NATIVE, Mode.GENERIC: _GENERIC}


class Link(NamedTuple):
    """An interface: its number and name here, its link type, and the XDP program on it, 0 if there is none."""

    number: int
    name: str
    kind: int
    program: int
    mode: Mode


class Attachment(NamedTuple):
    """Our program on an interface; `refused` says why it is not in the driver, if it is not."""

    number: int
    name: str
    mode: Mode
    refused: str = ""


def links(route: Any) -> list[Link]:  # noqa: ANN401 -- pyroute2 ships no types.
    """Return all interfaces of the network namespace. Raises `OSError` if the kernel does not tell."""
    found = []
    for message in route.get_links():
        xdp = message.get_attr("IFLA_XDP")
        attached = str(xdp.get_attr("IFLA_XDP_ATTACHED")) if xdp else ""
        found.append(
            Link(
                number=int(message["index"]),
                name=str(message.get_attr("IFLA_IFNAME")),
                kind=int(message["ifi_type"]),
                program=int(xdp.get_attr("IFLA_XDP_PROG_ID") or 0) if xdp else 0,
                mode=Mode.GENERIC if attached == "xdpgeneric" else Mode.NATIVE,
            )
        )
    return found


def attach(route: Any, link: Link, program_fd: int) -> Attachment:  # noqa: ANN401 -- as above.
    """Attach a program, in the driver if that can, else behind it.

    Raises `BusyError` if another program is there, `UnsupportedError` if the interface cannot have one, and
    `AttachError` for any other refusal.
    """
    if link.kind not in {_ETHERNET, _LOOPBACK}:
        message = f"{link.name} has no Ethernet frames (link type {link.kind}): watch the interface below it"
        raise UnsupportedError(message)
    refused = ""
    for mode in Mode:
        number = _set(route, link.number, program_fd, _IF_NOEXIST | _FLAG[mode])
        if not number:
            return Attachment(link.number, link.name, mode, refused)
        if number in _OCCUPIED:
            # The message above may be older than the program; a program that left meanwhile makes no difference.
            message = (
                f"{link.name} has an XDP program already (id {link.program or 'unknown'}), and pyloader does not"
                f" replace a foreign one; if nothing needs it: ip link set dev {link.name} xdp off"
            )
            raise BusyError(message)
        if number in {errno.EPERM, errno.EACCES, errno.ENODEV}:
            break
        refused = os.strerror(number)
    message = f"cannot attach to {link.name}: {os.strerror(number)}"
    raise AttachError(message, program="network_packets", errno=number)


def detach(route: Any, number: int, mode: Mode, program_fd: int) -> bool:  # noqa: ANN401 -- as above.
    """Detach this very program; return whether it was there.

    Raises `AttachError` if the kernel refuses though it was there.
    """
    refusal = _set(route, number, -1, _REPLACE | _FLAG[mode], expected=program_fd)
    if refusal and refusal not in _GONE:
        message = f"cannot detach from interface {number}: {os.strerror(refusal)}"
        raise AttachError(message, program="network_packets", errno=refusal)
    return not refusal


def _set(
    route: Any,  # noqa: ANN401 -- as above.
    number: int,
    program_fd: int,
    flags: int,
    *,
    expected: int | None = None,
) -> int:
    """Ask for a change and return the error's number, or 0."""
    from pyroute2.netlink.exceptions import NetlinkError  # noqa: PLC0415 -- see `Interfaces`.

    attributes: list[list[object]] = [["IFLA_XDP_FD", program_fd], ["IFLA_XDP_FLAGS", flags]]
    if expected is not None:
        attributes.append(["IFLA_XDP_EXPECTED_FD", expected])
    try:
        route.link("set", index=number, xdp={"attrs": attributes})
    except NetlinkError as error:
        return int(error.code)
    return 0
