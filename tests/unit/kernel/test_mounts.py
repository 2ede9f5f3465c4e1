"""Where tracefs and bpffs are mounted, and how to mount them."""

import pytest

from pyloader.kernel import Level
from pyloader.kernel.mounts import bpffs, tracefs
from tests.unit.kernel.conftest import MOUNTS, MakeHost

EVENTS = "/sys/kernel/tracing/events/header"


def test_tracefs(make_host: MakeHost) -> None:
    """Tracefs is told with its place."""
    assert tracefs(make_host()) == ("tracefs", "mounted at /sys/kernel/tracing", None, "")


def test_tracefs_in_debugfs(make_host: MakeHost) -> None:
    """The old place below debugfs does as well."""
    host = make_host({EVENTS: None, "/sys/kernel/debug/tracing/events/header": ""})

    assert tracefs(host).detail == "mounted at /sys/kernel/debug/tracing"


def test_tracefs_that_is_not_mounted(make_host: MakeHost) -> None:
    """Without tracefs the command that mounts it is told, and what needs it."""
    finding = tracefs(make_host({EVENTS: None, "/proc/self/mounts": "proc /proc proc rw 0 0\n"}))

    assert (finding.level, finding.detail) == (Level.ADVICE, "not mounted")
    assert finding.advice.startswith("plain tracepoints and kprobes need it")
    assert finding.advice.endswith("mount -t tracefs tracefs /sys/kernel/tracing")


def test_tracefs_that_cannot_be_read(make_host: MakeHost) -> None:
    """A tracefs that only root may read is told from none."""
    finding = tracefs(make_host({EVENTS: None}, uid=1000))

    assert finding.detail == "mounted at /sys/kernel/tracing, not readable for uid 1000"
    assert "mount -o remount,mode=755 /sys/kernel/tracing" in finding.advice


@pytest.mark.parametrize(
    ("mounts", "level", "detail"),
    [
        (MOUNTS, Level.OK, "mounted at /sys/fs/bpf"),
        ("bpf /run/bpf bpf rw 0 0\n", Level.ADVICE, "mounted at /run/bpf, not at /sys/fs/bpf"),
        ("", Level.ADVICE, "not mounted"),
    ],
)
def test_bpffs(make_host: MakeHost, mounts: str, level: Level, detail: str) -> None:
    """Bpffs is wanted in its usual place, for pinning alone."""
    finding = bpffs(make_host({"/proc/self/mounts": mounts}))

    assert (finding.level, finding.detail) == (level, detail)
    assert ("mount -t bpf bpf /sys/fs/bpf" in finding.advice) is (level is Level.ADVICE)
