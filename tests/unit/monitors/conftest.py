"""What the tests of the monitors share: a kernel that a test makes up, and a folder for its pins."""

from pathlib import Path

import pytest

from pyloader.binding import MapInfo, ProgramInfo
from pyloader.errors import LoadError
from pyloader.monitors import Transport
from tests.unit.monitors.bpffs import RING_BYTES, Bpffs, FakeRings, open_pinned, read_numbers, write_numbers
from tests.unit.monitors.kernel import FakeKernel


def _explained(error: LoadError, *, btf: Path | None = None) -> LoadError:
    """Give the error a note, as who explains it would."""
    error.add_note(f"explained with {btf}")
    return error


@pytest.fixture(name="kernel")
def _kernel(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> FakeKernel:
    """Put a kernel in place that has types of its own and refuses nothing."""
    kernel = FakeKernel()
    types = tmp_path_factory.mktemp("btf") / "vmlinux"
    types.touch()
    monkeypatch.setattr("pyloader.monitors.climb.BpfObject", kernel)
    monkeypatch.setattr("pyloader.monitors.climb.read_object", kernel.read_object)
    monkeypatch.setattr("pyloader.kernel.explained", _explained)
    monkeypatch.setattr("pyloader.kernel.BTF_PATH", types)
    return kernel


@pytest.fixture(name="bpffs")
def _bpffs(kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bpffs:
    """Put a folder in place of bpffs, for an instance that no other test has."""
    bpffs = Bpffs(tmp_path, kernel)
    for name, value in {
        "pin": bpffs.pin,
        "open_pinned": open_pinned,
        "read_numbers": read_numbers,
        "write_numbers": write_numbers,
        "best_transport": lambda: Transport.RING,
        "program_info": lambda _: ProgramInfo(id=7),
        "map_info": lambda _: MapInfo(max_entries=RING_BYTES),
    }.items():
        monkeypatch.setattr(f"pyloader.monitors.pinned.{name}", value)
    monkeypatch.setattr("pyloader.monitors.pinned.os.path.ismount", tmp_path.__eq__)
    return bpffs


@pytest.fixture(name="rings")
def _rings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a reader without rings in place."""
    monkeypatch.setattr("pyloader.monitors.pinned.RingReader", FakeRings)
    monkeypatch.setattr("pyloader.monitors.active.PerCpuArray", lambda *_, width: width)
