"""Network interfaces, and how each would bear an XDP program.

Nothing is tried here: attaching a program, even one that does nothing, resets the queues of many network cards. Kind,
driver and what is attached already are asked for, and what is known of them is told.
"""

from typing import Any, NamedTuple

from pyloader.kernel.finding import Finding
from pyloader.kernel.host import Host

_IFF_UP, _IFF_LOOPBACK = 0x1, 0x8
"""include/uapi/linux/if.h."""

_MODES = {"xdp": "native", "xdpgeneric": "generic", "xdpoffload": "offloaded", "xdpmulti": "in several modes"}
"""What pyroute2 makes of XDP_ATTACHED_* in include/uapi/linux/if_link.h; no program is `None`."""

_GENERIC = "it has no native XDP, and generic XDP costs much more per packet: watch the interfaces below it"

_ADVICE = {
    "loopback": "XDP costs local connections most of their throughput, and a threat from outside is not seen here:"
    " name it with --interface only for tests",
    "veth": "XDP can cost the containers behind it most of their throughput: watch the host's own interfaces, and name"
    " this one with --interface only after measuring",
    "bond": "XDP depends on the bond's mode and on every driver below it: watch its members",
    "virtio_net": "native XDP takes a queue pair per CPU beside those in use, and large receive offload off:"
    " if it is refused, ethtool -K {name} lro off, or give the machine more queues",
    "bridge": _GENERIC,
    "dummy": _GENERIC,
    "ifb": _GENERIC,
    "ipvlan": _GENERIC,
    "macvlan": _GENERIC,
    "vlan": _GENERIC,
    "vxlan": _GENERIC,
    "wireguard": _GENERIC,
}
"""By kind or driver; anything else is taken for a network card that does native XDP."""


class Interface(NamedTuple):
    """A network interface as rtnetlink tells of it."""

    name: str
    kind: str
    """What it is (`veth`, `bond`, `loopback`), or the driver of its device, or an empty string."""
    up: bool
    xdp_mode: str = ""
    """How a program is attached, or an empty string if none is."""
    xdp_id: int = 0
    """The id of that program."""


def interfaces(host: Host) -> list[Interface]:
    """Return every network interface of this network namespace. Raises `OSError` if the kernel does not tell."""
    from pyroute2 import IPRoute  # noqa: PLC0415 -- takes half a second, and only `doctor` looks at interfaces.

    with IPRoute() as route:
        return [_interface(link, host) for link in route.get_links()]


def judged(interface: Interface) -> Finding:
    """Return what an XDP program on this interface would meet."""
    attached = f"program {interface.xdp_id} attached ({interface.xdp_mode})" if interface.xdp_mode else "no program"
    state = "up" if interface.up else "down"
    detail = f"{interface.kind or 'unknown driver'}, {state}, XDP: {attached}"
    if interface.xdp_mode:
        advice = (
            "a program is there already, and pyloader does not replace a foreign one: if nothing needs it,"
            f" ip link set dev {interface.name} xdp off"
        )
    else:
        advice = _ADVICE.get(interface.kind, "").format(name=interface.name)
    return Finding(interface.name, detail, advice=advice)


def _interface(link: Any, host: Host) -> Interface:  # noqa: ANN401 -- pyroute2 ships no types.
    """Translate a link message of pyroute2."""
    get = link.get_attr
    name = str(get("IFLA_IFNAME"))
    flags = int(link["flags"])
    information, xdp = get("IFLA_LINKINFO"), get("IFLA_XDP")
    kind = information.get_attr("IFLA_INFO_KIND") if information else ""
    if flags & _IFF_LOOPBACK:
        kind = "loopback"
    mode = str(xdp.get_attr("IFLA_XDP_ATTACHED")) if xdp else ""
    return Interface(
        name=name,
        kind=str(kind or _driver(name, host)),
        up=bool(flags & _IFF_UP),
        xdp_mode=_MODES.get(mode, ""),
        xdp_id=int(xdp.get_attr("IFLA_XDP_PROG_ID") or 0) if xdp else 0,
    )


def _driver(name: str, host: Host) -> str:
    try:
        return host.path(f"/sys/class/net/{name}/device/driver").readlink().name
    except OSError:
        return ""
