"""What the administrator forbids, and how that is told."""

import pytest

from pyloader.binding.probe import MAP_ARRAY
from pyloader.errors import LockdownError, NotPermittedError
from pyloader.kernel import Level
from pyloader.kernel.policy import bpf_for_all, lockdown, paranoid, seccomp
from tests.unit.kernel.conftest import ALL, MOUNTS, Kernel, MakeHost

BOTH = "000000c000000000"
"""CAP_BPF and CAP_PERFMON."""

LOCKDOWN = "/sys/kernel/security/lockdown"


@pytest.mark.parametrize("mode", ["none", "integrity"])
def test_lockdown_that_is_no_obstacle(make_host: MakeHost, mode: str) -> None:
    """No lockdown, or the milder one, is fine, and told."""
    text = "none integrity confidentiality".replace(mode, f"[{mode}]")
    finding = lockdown(make_host({LOCKDOWN: text}))

    assert (finding.level, finding.detail) == (Level.OK, mode)


def test_lockdown_confidentiality(make_host: MakeHost) -> None:
    """The stricter lockdown is a problem of its own kind, with the way to the milder one."""
    problem = lockdown(make_host({LOCKDOWN: "none integrity [confidentiality]"})).problem

    assert isinstance(problem, LockdownError)
    assert str(problem) == (
        "the kernel is locked down to 'confidentiality', in which no program may read its memory: start it with"
        " lockdown=integrity, or with Secure Boot off"
    )


@pytest.mark.parametrize(
    ("mounts", "detail"),
    [(MOUNTS, "this kernel has none"), ("proc /proc proc rw 0 0\n", "cannot be told: securityfs is not mounted")],
)
def test_lockdown_that_cannot_be_read(make_host: MakeHost, mounts: str, detail: str) -> None:
    """A kernel without lockdown is told from a host on which it cannot be read; neither is a problem."""
    finding = lockdown(make_host({LOCKDOWN: None, "/proc/self/mounts": mounts}))

    assert (finding.level, finding.detail) == (Level.OK, detail)


@pytest.mark.parametrize(("text", "level"), [("0", Level.ADVICE), ("1", Level.OK), ("2", Level.OK), (None, Level.OK)])
def test_bpf_for_all(make_host: MakeHost, text: str | None, level: Level) -> None:
    """That every user may load programs is worth knowing, with the setting that ends it."""
    finding = bpf_for_all(make_host({"/proc/sys/kernel/unprivileged_bpf_disabled": text}))

    assert level is finding.level
    assert ("sysctl -w kernel.unprivileged_bpf_disabled=2" in finding.advice) is (level is Level.ADVICE)


@pytest.mark.parametrize(
    ("text", "mask", "level"),
    [("2", BOTH, Level.OK), ("-1", BOTH, Level.OK), ("3", BOTH, Level.ADVICE), ("4", ALL, Level.OK)],
)
def test_paranoid(make_host: MakeHost, text: str, mask: str, level: Level) -> None:
    """Only the settings above 2, which distributions add, ask for more than CAP_PERFMON."""
    files = {"/proc/sys/kernel/perf_event_paranoid": text, "/proc/self/status": f"CapEff:\t{mask}\n"}
    finding = paranoid(make_host(files))

    assert level is finding.level
    assert ("sysctl -w kernel.perf_event_paranoid=2" in finding.advice) is (level is Level.ADVICE)


def test_kernel_without_perf_events(make_host: MakeHost) -> None:
    """A kernel without perf events is told what cannot be attached there."""
    advice = paranoid(make_host({"/proc/sys/kernel/perf_event_paranoid": None})).advice

    assert "CONFIG_PERF_EVENTS=y" in advice


@pytest.mark.parametrize(
    ("mask", "answer", "detail"),
    [
        (ALL, True, "a filter is at work, and lets bpf(2) pass"),
        ("0", False, "a filter is at work; not tried without the capabilities"),
    ],
)
def test_filter_that_is_no_obstacle(make_host: MakeHost, able: Kernel, mask: str, answer: object, detail: str) -> None:
    """A filter that lets bpf(2) pass is fine, and one behind missing capabilities is not blamed."""
    able.maps[MAP_ARRAY] = answer is True
    finding = seccomp(make_host({"/proc/self/status": f"CapEff:\t{mask}\nSeccomp:\t2\n"}))

    assert (finding.level, finding.detail) == (Level.OK, detail)


def test_filter_in_the_way(make_host: MakeHost, able: Kernel) -> None:
    """A filter that refuses bpf(2) to one who has the capabilities is the reason, and told with the way round it."""
    able.maps[MAP_ARRAY] = False
    problem = seccomp(make_host({"/proc/self/status": f"CapEff:\t{ALL}\nSeccomp:\t2\n"})).problem

    assert isinstance(problem, NotPermittedError)
    assert "--security-opt seccomp=FILE" in str(problem)


def test_no_filter(make_host: MakeHost) -> None:
    """Without a filter there is nothing to say."""
    assert seccomp(make_host()).detail == "no filter"
