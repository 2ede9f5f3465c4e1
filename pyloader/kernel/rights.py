"""What this process may do: its capabilities, and whether they reach beyond a container.

A capability that is held in a user namespace of its own counts for nothing here: the kernel asks for it in the first
user namespace (`bpf_capable` and `perfmon_capable` in include/linux/capability.h).
"""

from enum import IntEnum

from pyloader.errors import MissingCapabilityError, NotPermittedError, NotRootError
from pyloader.kernel.finding import Finding
from pyloader.kernel.host import Host


class Capability(IntEnum):
    """The capabilities that matter here (include/uapi/linux/capability.h)."""

    NET_ADMIN = 12
    SYS_ADMIN = 21
    SYS_RESOURCE = 24
    PERFMON = 38
    BPF = 39

    def __str__(self) -> str:
        return f"CAP_{self.name}"


_FIRST_USER_NAMESPACE = "user:[4026531837]"
"""PROC_USER_INIT_INO in include/linux/proc_ns.h."""

_TOLD = (Capability.BPF, Capability.PERFMON, Capability.NET_ADMIN, Capability.SYS_RESOURCE)

_PURPOSES = {
    Capability.NET_ADMIN: "only XDP needs it",
    Capability.SYS_RESOURCE: "only kernels before 5.11 need it, to lock memory",
}


def effective(host: Host) -> frozenset[Capability]:
    """Return which of the capabilities above this process has in effect."""
    mask = int(host.status.get("CapEff", "0"), 16)
    return frozenset(capability for capability in Capability if mask >> capability & 1)


def missing(host: Host) -> list[Capability]:
    """Return the capabilities that loading takes and this process lacks."""
    held = effective(host)
    if Capability.SYS_ADMIN in held:
        return []
    if not _knows(host, Capability.BPF):
        return [Capability.SYS_ADMIN]
    return [one for one in (Capability.BPF, Capability.PERFMON) if one not in held]


def rights(host: Host) -> Finding:
    """Return whether this process may load programs, with all capabilities that matter."""
    held = effective(host)
    told = [one for one in (*_TOLD, Capability.SYS_ADMIN) if one in held]
    parts = [_listed(told) + " in effect"] if told else []
    for one in _TOLD:
        if one not in held and _knows(host, one):
            purpose = f" ({_PURPOSES[one]})" if one in _PURPOSES else ""
            parts.append(f"{one} missing{purpose}")
    return Finding("capabilities", "; ".join(parts), _problem(host))


def network_rights(host: Host) -> Finding:
    """Return whether this process may put XDP programs on interfaces."""
    if Capability.NET_ADMIN in effective(host):
        return Finding("network rights", f"{Capability.NET_ADMIN} is in effect")
    return Finding(
        "network rights",
        f"{Capability.NET_ADMIN} is missing",
        advice=f"only XDP programs on interfaces need {Capability.NET_ADMIN}: grant it to watch packets",
    )


def in_user_namespace(host: Host) -> bool:
    """Return whether this process lives in a user namespace of its own, as in a rootless container."""
    try:
        return str(host.path("/proc/self/ns/user").readlink()) != _FIRST_USER_NAMESPACE
    except OSError:
        return False


def _problem(host: Host) -> NotPermittedError | None:
    lacking = missing(host)
    if not lacking and not in_user_namespace(host):
        return None
    names = _listed(lacking)
    if host.uid != 0 and not effective(host):
        return NotRootError(
            f"loading programs into the kernel needs root, or {names}; this user (uid {host.uid}) has neither: use sudo"
        )
    if in_user_namespace(host):
        return MissingCapabilityError(
            "loading programs into the kernel needs capabilities of the host, and this process is root only in a user"
            " namespace, as in a rootless container: run it outside, as the host's root"
        )
    if host.uid != 0:
        return MissingCapabilityError(
            f"loading programs into the kernel needs {names}, and this process (uid {host.uid}) lacks it: add it to"
            " the ambient capabilities or to those of the file that is executed, or use sudo"
        )
    options = " ".join(f"--cap-add {one.name}" for one in lacking)
    return MissingCapabilityError(
        f"loading programs into the kernel needs {names}, and this root lacks it, as in a container: start the"
        f" container with {options}, or run on the host"
    )


def _knows(host: Host, capability: Capability) -> bool:
    """Return whether the kernel has this capability; before 5.8 CAP_SYS_ADMIN stood for the newer two."""
    return int(host.text("/proc/sys/kernel/cap_last_cap") or capability) >= capability


def _listed(capabilities: list[Capability]) -> str:
    names = [str(one) for one in capabilities]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
