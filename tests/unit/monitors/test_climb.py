"""What a monitor tries, what it leaves out, and what it tells of the rungs that do not hold."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Self, cast

import pytest

from pyloader.binding import BpfObject, Link
from pyloader.errors import LoadError, NotPermittedError, PyloaderError
from pyloader.monitors import Hook, Monitor, Rung
from pyloader.monitors.climb import climb, object_file

MISSING = Path("/none/kprobes")

LADDER = (
    Rung("fentry/commit", "by_fentry"),
    Rung("kprobe/commit", "by_kprobe", needs=MISSING),
    Rung("tp_btf/switch", "by_btf"),
    Rung("tp/switch", "by_tp"),
)

MONITOR = Monitor("sample", "sample.bpf.o", (Hook("credentials", LADDER),), untyped_object="untyped.bpf.o")


class _Object:
    """An object of a kernel that refuses some programs."""

    refused: ClassVar[set[str]] = set()
    opened: ClassVar[list[tuple[bytes, Path | None]]] = []
    selected: ClassVar[list[str]] = []

    @classmethod
    def open(cls, data: bytes, name: str, *, btf: Path | None = None) -> Self:
        """Note what is opened."""
        assert name == "sample"
        cls.opened.append((data, btf))
        return cls()

    def select(self, programs: Iterable[str]) -> None:
        """Note what is to be loaded."""
        self.selected.extend(programs)

    def load(self) -> None:
        """Refuse what is to be refused."""
        program = self.selected[-1]
        if program in self.refused:
            message = f"refused {program}"
            raise LoadError(message, program=program)

    def attach(self, _program: str) -> Link:
        """Return what can be closed."""
        return cast("Link", _Object())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture(name="kernel", autouse=True)
def _kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Put a kernel with types in place, and objects that hold their own name."""
    monkeypatch.setattr(_Object, "refused", set())
    monkeypatch.setattr(_Object, "opened", [])
    monkeypatch.setattr(_Object, "selected", [])
    monkeypatch.setattr("pyloader.monitors.climb.BpfObject", _Object)
    monkeypatch.setattr("pyloader.monitors.climb.read_object", str.encode)
    monkeypatch.setattr("pyloader.kernel.BTF_PATH", tmp_path)
    monkeypatch.setattr("pyloader.kernel.explained", lambda error, *, btf: error if btf is None else _explained(btf))
    return monkeypatch


def _explained(btf: Path) -> PyloaderError:
    return NotPermittedError(f"explained with {btf}")


def prepare(_loaded: BpfObject) -> None:
    """Set nothing up."""


@pytest.mark.parametrize(
    ("refused", "holds", "told"),
    [
        (set(), "fentry/commit", []),
        ({"by_fentry"}, "tp_btf/switch", ["refused by_fentry", f"this kernel has no {MISSING}"]),
        (
            {"by_fentry", "by_btf"},
            "tp/switch",
            ["refused by_fentry", f"this kernel has no {MISSING}", "refused by_btf"],
        ),
    ],
    ids=["first", "third", "last"],
)
def test_refusals_are_told_from_above(refused: set[str], holds: str, told: list[str]) -> None:
    """Of every better rung it is told, in order, whether the kernel refused it or lacks what it needs."""
    _Object.refused.update(refused)
    climbed = climb(MONITOR, prepare)

    assert climbed.rungs["credentials"].name == holds
    assert [str(one.reason) for one in climbed.refusals["credentials"]] == told
    assert "by_kprobe" not in _Object.selected


def test_kernel_without_types(kernel: pytest.MonkeyPatch) -> None:
    """Without the kernel's own types neither BTF tracepoints nor fentry are tried, and the untyped object is loaded."""
    kernel.setattr("pyloader.kernel.BTF_PATH", MISSING)
    climbed = climb(MONITOR, prepare, btf=Path("kernel.btf"))

    assert climbed.rungs["credentials"].name == "tp/switch"
    assert [(b"untyped.bpf.o", Path("kernel.btf"))] == _Object.opened
    assert _Object.selected == ["by_tp"]
    assert [one.rung.name for one in climbed.refusals["credentials"]] == [rung.name for rung in LADDER[:-1]]


def test_monitor_with_one_object(kernel: pytest.MonkeyPatch) -> None:
    """A monitor that calls no function of the kernel has one object for all."""
    kernel.setattr("pyloader.kernel.BTF_PATH", MISSING)

    assert object_file(MONITOR._replace(untyped_object="")) == b"sample.bpf.o"


@pytest.mark.parametrize(("btf", "text"), [(None, "refused by_tp"), (Path("k.btf"), "explained with k.btf")])
def test_last_refusal_is_explained(btf: Path | None, text: str) -> None:
    """When no rung holds, what is raised says what was in the way."""
    _Object.refused.update({"by_fentry", "by_btf", "by_tp"})

    with pytest.raises(PyloaderError) as caught:
        climb(MONITOR, prepare, btf=btf)

    assert str(caught.value) == text
