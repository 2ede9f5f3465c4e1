"""The monitors that are declared, and their ladders."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from pyloader.errors import UsageError
from pyloader.monitors import MONITORS, Hook, Monitor, Rung, named

EVERY = list(MONITORS.values())
HOOKS = [pytest.param(hook, id=f"{monitor.name}-{hook.name}") for monitor in EVERY for hook in monitor.hooks]

SAMPLE = Monitor(
    "sample",
    "sample.bpf.o",
    (
        Hook("exec", (Rung("tp_btf/exec", "e_btf"), Rung("kprobe/exec", "e_probe"), Rung("tp/a/exec", "e_tp"))),
        Hook("exit", (Rung("tp_btf/exit", "x_btf"), Rung("tp/a/exit", "x_tp"))),
    ),
)


@pytest.mark.parametrize("monitor", EVERY, ids=lambda monitor: monitor.name)
def test_programs_exist(root: Path, monitor: Monitor) -> None:
    """Every rung names a program of the monitor's source and its section, and every program stands on a rung."""
    source = (root / "bpf" / monitor.object.replace(".bpf.o", ".bpf.c")).read_text()
    programs = re.findall(r'^SEC\("([\w/]+)"\)\nint (?:BPF_\w+\()?(\w+)', source, re.MULTILINE)

    assert sorted(programs) == sorted((rung.name, rung.program) for hook in monitor.hooks for rung in hook.rungs)


@pytest.mark.parametrize("monitor", [one for one in EVERY if one.untyped_object], ids=lambda monitor: monitor.name)
def test_untyped_object_has_the_same_programs(root: Path, monitor: Monitor) -> None:
    """The object for kernels without types of their own is made of the same source, so it has the same programs."""
    source = root / "bpf" / monitor.untyped_object.replace(".bpf.o", ".bpf.c")

    assert f'#include "{monitor.object.replace(".bpf.o", ".bpf.c")}"' in source.read_text()


@pytest.mark.parametrize("hook", HOOKS)
def test_order_of_rungs(hook: Hook) -> None:
    """A rung may be blinder than the one below it only if that one costs more."""
    assert hook.rungs
    unjustified = [
        better.name for better, worse in pairwise(hook.rungs) if better.blind_to and not (worse.blind_to or worse.cost)
    ]

    assert unjustified == []


@pytest.mark.parametrize("hook", HOOKS)
def test_last_rung_stands_anywhere(hook: Hook) -> None:
    """The last rung of every hook needs neither a file of the host nor the kernel's own types."""
    assert hook.rungs[-1].kind == "tp"
    assert hook.rungs[-1].needs is None


@pytest.mark.parametrize("monitor", EVERY, ids=lambda monitor: monitor.name)
def test_names_are_told_apart(monitor: Monitor) -> None:
    """No two hooks have one name, and no two rungs one program."""
    programs = [rung.program for hook in monitor.hooks for rung in hook.rungs]

    assert len(monitor.hooks) == len({hook.name for hook in monitor.hooks})
    assert len(programs) == len(set(programs))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("tp_btf/sched_process_exec", "tp_btf"),
        ("tp/sched/sched_process_exec", "tp"),
        ("fentry/commit_creds", "fentry"),
        ("xdp", "xdp"),
    ],
)
def test_kind(name: str, kind: str) -> None:
    """The kind of a rung is the first part of its section."""
    assert kind == Rung(name, "program").kind


@pytest.mark.parametrize("kind", ["tp_btf", "fentry", "fexit", "lsm"])
def test_rung_that_needs_the_kernels_types(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str) -> None:
    """A hook that the kernel finds by its own types is missing them where they are not there."""
    types = tmp_path / "vmlinux"
    monkeypatch.setattr("pyloader.kernel.BTF_PATH", types)

    assert types == Rung(f"{kind}/x", "program").missing()
    types.touch()
    assert Rung(f"{kind}/x", "program").missing() is None


@pytest.mark.parametrize("kind", ["tp", "kprobe", "raw_tp", "xdp"])
def test_rung_that_needs_no_types(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str) -> None:
    """Any other hook does without the kernel's types."""
    monkeypatch.setattr("pyloader.kernel.BTF_PATH", tmp_path / "vmlinux")

    assert Rung(f"{kind}/x", "program").missing() is None


def test_rung_that_needs_a_file(tmp_path: Path) -> None:
    """A rung that needs a file is missing it until it is there."""
    rung = Rung("kprobe/x", "program", needs=tmp_path / "kprobe")

    assert rung.missing() == tmp_path / "kprobe"
    (tmp_path / "kprobe").touch()
    assert rung.missing() is None


@pytest.mark.parametrize(
    ("kind", "programs"),
    [
        ("tp", [["e_tp"], ["x_tp"]]),
        ("tp_btf", [["e_btf"], ["x_btf"]]),
        ("kprobe", [["e_probe"], ["x_btf", "x_tp"]]),
    ],
)
def test_forced(kind: str, programs: list[list[str]]) -> None:
    """A kind can be forced: a hook keeps only its rungs of that kind, or its whole ladder if it has none."""
    forced = SAMPLE.forced(kind)

    assert programs == [[rung.program for rung in hook.rungs] for hook in forced.hooks]
    assert (forced.name, forced.object) == (SAMPLE.name, SAMPLE.object)


@pytest.mark.parametrize("kind", ["lsm", "", "tp/a", "kprobe/exec"])
def test_kind_that_no_hook_has(kind: str) -> None:
    """A kind that no hook has is refused together with the kinds that there are."""
    with pytest.raises(UsageError, match=f"sample has no hook of kind '{kind}'; there are: kprobe, tp, tp_btf$"):
        SAMPLE.forced(kind)


def test_named() -> None:
    """A monitor is found by its public name."""
    assert MONITORS["process"] is named("process")


def test_name_of_no_monitor() -> None:
    """A name of no monitor is refused together with the names that are."""
    with pytest.raises(UsageError, match="there is no monitor 'memory'; there are: process"):
        named("memory")
