"""Watch what an action does, and what the kernel holds."""

import functools
import json
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from pyloader import Assessment, Sensor
from pyloader.binding import BpfObject
from pyloader.monitors import MONITORS, ON_INTERFACES, PROCESS, Monitor, Transport
from pyloader.monitors.objects import read_object
from pyloader.records import Record
from pyloader.sources import KernelSource

R = TypeVar("R", bound=Record)

Ids = dict[str, set[int]]

_NAME_LENGTH = 15
"""BPF_OBJ_NAME_LEN without the NUL: to which the kernel cuts the names of programs and maps."""


@functools.cache
def _names() -> frozenset[str]:
    """Return the names that the kernel knows the programs and maps of all our objects by."""
    names: set[str] = set()
    for monitor in (MONITORS | ON_INTERFACES).values():
        for file in filter(None, (monitor.object, monitor.untyped_object)):
            with BpfObject.open(read_object(file), file) as opened:
                names |= {name[:_NAME_LENGTH] for name in (*opened.programs(), *opened.maps())}
    return frozenset(names)


def kernel_ids() -> Ids:
    """Return the ids of all programs and maps that bear names of ours, and of all links, as the kernel lists them."""
    ids: Ids = {}
    for kind in ("prog", "map", "link"):
        listed = subprocess.run(["bpftool", "-j", kind, "show"], check=True, capture_output=True).stdout
        ids[kind] = {
            entry["id"] for entry in json.loads(listed or "[]") if kind == "link" or entry.get("name") in _names()
        }
    return ids


def left_behind(before: Ids) -> Ids:
    """Return what is in the kernel now and was not before; it is freed a moment after the last user has gone.

    What processes of other sessions hold is that of other sensors on this machine.
    """
    for _ in range(50):
        new = {kind: ids - before[kind] for kind, ids in kernel_ids().items()}
        if any(new.values()):
            elsewhere = _held_in_other_sessions()
            new = {kind: ids - elsewhere[kind] for kind, ids in new.items()}
        if not any(new.values()):
            break
        time.sleep(0.1)
    return new


def _held_in_other_sessions() -> Ids:
    """Return the ids of programs, maps and links that processes of other sessions have open."""
    ids: Ids = {"prog": set(), "map": set(), "link": set()}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(folder.name)) == os.getsid(0):
                continue
            for file in (folder / "fd").iterdir():
                if "bpf" in str(file.readlink()):
                    _take_ids((folder / "fdinfo" / file.name).read_text(), ids)
        except OSError:
            # It has ended, or closed the file.
            continue
    return ids


def _take_ids(info: str, ids: Ids) -> None:
    for line in info.splitlines():
        name, _, value = line.partition(":")
        if name.removesuffix("_id") in ids and name.endswith("_id"):
            ids[name.removesuffix("_id")].add(int(value))


Observe = Callable[[Callable[[], object]], list[Assessment]]


def observe(
    action: Callable[[], object],
    monitor: Monitor = PROCESS,
    ring_bytes: int = 1 << 22,
    transport: Transport | None = None,
) -> list[Assessment]:
    """Return everything that a sensor assesses while the action runs."""
    with Sensor(source=KernelSource([monitor], ring_bytes=ring_bytes, transport=transport)) as sensor:
        action()
        sensor.stop()
        return list(sensor)


def of_type(kind: type[R], assessments: list[Assessment]) -> list[R]:
    """Return the records of one type."""
    return [one.record for one in assessments if isinstance(one.record, kind)]


def run(command: Sequence[str | Path], **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end, whatever it returns, without its output."""
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.run([str(word) for word in command], check=False, timeout=60, **(quiet | options))  # type: ignore[call-overload,no-any-return]
