"""What the tests of the monitors share: a kernel that a test makes up."""

from pathlib import Path

import pytest

from pyloader.errors import LoadError
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
