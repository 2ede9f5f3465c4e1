"""A host that a test makes up: files instead of /proc and /sys, and answers instead of a kernel."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pyloader.binding.probe import MAP_ARRAY, MAP_RINGBUF
from pyloader.kernel import Host

MakeHost = Callable[..., Host]

ALL = "000001ffffffffff"
"""Every capability."""

MOUNTS = """\
proc /proc proc rw 0 0
securityfs /sys/kernel/security securityfs rw 0 0
tracefs /sys/kernel/tracing tracefs rw 0 0
bpf /sys/fs/bpf bpf rw 0 0
"""

WELL = {
    "/proc/self/status": f"Name:\tpython\nCapPrm:\t0\nCapEff:\t{ALL}\nSeccomp:\t0\n",
    "/proc/self/mounts": MOUNTS,
    "/proc/sys/kernel/cap_last_cap": "40",
    "/proc/sys/kernel/unprivileged_bpf_disabled": "2",
    "/proc/sys/kernel/perf_event_paranoid": "2",
    "/sys/kernel/security/lockdown": "[none] integrity confidentiality",
    "/sys/kernel/security/lsm": "lockdown,capability,selinux",
    "/sys/kernel/btf/vmlinux": "types",
    "/sys/kernel/tracing/events/header": "",
}
"""Files of a host on which all is well."""


@pytest.fixture(name="make_host")
def _make_host(tmp_path: Path) -> MakeHost:
    """Return a function that makes a host: all is well but for the files that it is given, `None` for none."""

    def make(
        files: dict[str, str | None] | None = None,
        *,
        uid: int = 0,
        machine: str = "x86_64",
        user_namespace: str = "user:[4026531837]",
    ) -> Host:
        root = tmp_path / "host"
        for name, text in (WELL | (files or {})).items():
            if text is not None:
                path = root / name.removeprefix("/")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        namespaces = root / "proc/self/ns"
        namespaces.mkdir(parents=True)
        (namespaces / "user").symlink_to(user_namespace)
        return Host(root, release="5.4.0-custom", machine=machine, uid=uid)

    return make


class Kernel:
    """The answers of a kernel that can do everything, unless a test says otherwise."""

    def __init__(self) -> None:
        self.maps: dict[int, bool | None] = {MAP_ARRAY: True, MAP_RINGBUF: True}
        self.programs: bool | None = True
        self.helpers: bool | None = True
        self.locked_memory = (65_536, 65_536)


@pytest.fixture(name="able", autouse=True)
def _able(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """Put answers in place of the kernel's."""
    kernel = Kernel()
    module = "pyloader.kernel.features."
    monkeypatch.setattr(f"{module}can_create_map", kernel.maps.get)
    monkeypatch.setattr(f"{module}can_load_program", lambda _kind: kernel.programs)
    monkeypatch.setattr(f"{module}can_call_helper", lambda _kind, _helper: kernel.helpers)
    monkeypatch.setattr(f"{module}resource.getrlimit", lambda _limit: kernel.locked_memory)
    return kernel
