"""Capabilities, and what is said to those who lack them."""

import pytest

from pyloader.errors import MissingCapabilityError, NotRootError
from pyloader.kernel import Level
from pyloader.kernel.rights import Capability, effective, missing, network_rights, rights
from tests.unit.kernel.conftest import ALL, MakeHost


def status(*capabilities: Capability) -> dict[str, str | None]:
    """Return the file in which a process has these capabilities."""
    mask = sum(1 << capability for capability in capabilities)
    return {"/proc/self/status": f"CapEff:\t{mask:016x}\n"}


BOTH = (Capability.BPF, Capability.PERFMON)


@pytest.mark.parametrize(
    ("mask", "held"),
    [
        ("0000000000000000", set()),
        (ALL, set(Capability)),
        ("0000008000000000", {Capability.BPF}),
        ("0000004000200000", {Capability.PERFMON, Capability.SYS_ADMIN}),
    ],
)
def test_effective(make_host: MakeHost, mask: str, held: set[Capability]) -> None:
    """The capabilities are read from the effective mask of this process."""
    host = make_host({"/proc/self/status": f"CapPrm:\t{ALL}\nCapEff:\t{mask}\nCapBnd:\t{ALL}\n"})

    assert held == effective(host)


@pytest.mark.parametrize("held", [BOTH, (Capability.SYS_ADMIN,)])
def test_enough(make_host: MakeHost, held: tuple[Capability, ...]) -> None:
    """CAP_SYS_ADMIN alone, or CAP_BPF and CAP_PERFMON together, are enough, for root and for others."""
    assert rights(make_host(status(*held), uid=1000)).problem is None


def test_not_root(make_host: MakeHost) -> None:
    """An ordinary user is told what it takes, and to use sudo."""
    problem = rights(make_host(status(), uid=1000)).problem

    assert isinstance(problem, NotRootError)
    assert str(problem) == (
        "loading programs into the kernel needs root, or CAP_BPF and CAP_PERFMON; this user (uid 1000) has neither:"
        " use sudo"
    )


@pytest.mark.parametrize(("held", "lacking"), [(BOTH[:1], "CAP_PERFMON"), (BOTH[1:], "CAP_BPF")])
def test_user_with_one_of_two(make_host: MakeHost, held: tuple[Capability, ...], lacking: str) -> None:
    """A user who was given one capability is told the other, and where to add it."""
    problem = rights(make_host(status(*held), uid=1000)).problem

    assert isinstance(problem, MissingCapabilityError)
    assert f"needs {lacking}, and this process (uid 1000) lacks it" in str(problem)
    assert "add it to the ambient capabilities" in str(problem)


@pytest.mark.parametrize(
    ("held", "lacking", "options"),
    [
        ((), "CAP_BPF and CAP_PERFMON", "--cap-add BPF --cap-add PERFMON"),
        (BOTH[:1], "CAP_PERFMON", "--cap-add PERFMON"),
    ],
)
def test_root_of_a_container(make_host: MakeHost, held: tuple[Capability, ...], lacking: str, options: str) -> None:
    """Root without a capability is told which, and the option of the container that adds it."""
    problem = rights(make_host(status(*held))).problem

    assert isinstance(problem, MissingCapabilityError)
    assert f"needs {lacking}, and this root lacks it, as in a container" in str(problem)
    assert f"with {options}, or run on the host" in str(problem)


def test_root_of_a_user_namespace(make_host: MakeHost) -> None:
    """All capabilities of another user namespace than the first count for nothing."""
    problem = rights(make_host(user_namespace="user:[4026532000]")).problem

    assert isinstance(problem, MissingCapabilityError)
    assert "root only in a user namespace, as in a rootless container: run it outside" in str(problem)


def test_kernel_before_the_capabilities(make_host: MakeHost) -> None:
    """A kernel that does not know CAP_BPF asks for CAP_SYS_ADMIN instead."""
    host = make_host({**status(), "/proc/sys/kernel/cap_last_cap": "37"})

    assert missing(host) == [Capability.SYS_ADMIN]
    assert "needs CAP_SYS_ADMIN, and this root lacks it" in str(rights(host).problem)


def test_what_is_missing_and_for_what(make_host: MakeHost) -> None:
    """What is held and what is missing is told, with what the less important ones are for."""
    assert rights(make_host(status(*BOTH))).detail == (
        "CAP_BPF and CAP_PERFMON in effect; CAP_NET_ADMIN missing (only XDP needs it); CAP_SYS_RESOURCE missing (only"
        " kernels before 5.11 need it, to lock memory)"
    )


@pytest.mark.parametrize(
    ("held", "level"), [((Capability.NET_ADMIN,), Level.OK), ((Capability.SYS_ADMIN,), Level.ADVICE)]
)
def test_network_rights(make_host: MakeHost, held: tuple[Capability, ...], level: Level) -> None:
    """Without CAP_NET_ADMIN only XDP is out of reach: that is advice and no problem."""
    assert level is network_rights(make_host(status(*held))).level
