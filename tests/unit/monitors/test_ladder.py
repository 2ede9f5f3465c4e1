"""The monitors that are declared, and their ladders."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from pyloader.errors import UsageError
from pyloader.monitors import MONITORS, ON_INTERFACES, Hook, Monitor, Rung, named
from pyloader.monitors.ladder import none
from tests.unit.monitors.kernel import RICH

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


def _expanded(source: str) -> str:
    """Return a source with each use of its macros for programs replaced by the programs."""
    for name, parameters, body in re.findall(r"^#define (\w+)\(([\w, ]+)\)((?:.*\\\n)+.*\n)", source, re.MULTILINE):
        if "SEC(" not in body:
            continue

        parameter, *_ = parameters.split(",")
        programs = body.replace("\\\n", "\n").replace(f"{parameter}##", r"\1").replace(f"#{parameter}", r'"\1"')
        source = re.sub(rf"^{name}\((\w+), \w+\)$", programs, source, flags=re.MULTILINE)
    return source


def _programs(root: Path, monitor: Monitor) -> dict[str, str]:
    """Return the section of each program of a monitor's source."""
    source = _expanded((root / "bpf" / monitor.object.replace(".bpf.o", ".bpf.c")).read_text())
    found = re.findall(r"^\s*SEC\(([^)]+)\)\s+int (?:BPF_\w+\()?(\w+)", source, re.MULTILINE)
    return {program: re.sub(r'[" ]', "", section).replace("SYSCALL_PREFIX", "sys_") for section, program in found}


@pytest.mark.parametrize("monitor", EVERY, ids=lambda monitor: monitor.name)
def test_programs_exist(root: Path, monitor: Monitor) -> None:
    """Every rung names programs of its kind in the source, the first by its section; every program has a rung."""
    sections = _programs(root, monitor)
    rungs = [rung for hook in monitor.hooks for rung in hook.rungs if rung.program]

    assert sorted(sections) == sorted(program for rung in rungs for program in rung.programs)
    assert {rung.program: rung.name for rung in rungs} == {rung.program: sections[rung.program] for rung in rungs}
    assert all(Rung(sections[program], program).kind == rung.kind for rung in rungs for program in rung.beside)


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
    """The last rung of every hook needs neither a file nor the kernel's types, or is none and tells what is missed."""
    last = hook.rungs[-1]

    assert last.kind == "tp" or (last == none(last.blind_to) and last.blind_to)
    assert last.needs is None


@pytest.mark.parametrize("monitor", EVERY, ids=lambda monitor: monitor.name)
def test_names_are_told_apart(monitor: Monitor) -> None:
    """No two hooks have one name, no two rungs of a hook have, and no two rungs have one program."""
    programs = [program for hook in monitor.hooks for rung in hook.rungs for program in rung.programs]

    assert len(monitor.hooks) == len({hook.name for hook in monitor.hooks})
    assert all(len(hook.rungs) == len({rung.name for rung in hook.rungs}) for hook in monitor.hooks)
    assert len(programs) == len(set(programs))


@pytest.mark.parametrize("hook", HOOKS)
def test_every_rung_has_programs_but_the_last(hook: Hook) -> None:
    """Only the end of a ladder may have no program: what stands below it would never be tried."""
    assert all(rung.program for rung in hook.rungs[:-1])


def test_programs_of_a_rung() -> None:
    """A rung has its program and those beside it; the end of a ladder has none."""
    assert Rung("tp/a", "one", beside=("two", "three")).programs == ("one", "two", "three")
    assert Rung("tp/a", "one").programs == ("one",)
    assert none("much").programs == ()
    assert none("much").blind_to == "much"
    assert none("much").missing() is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("tp_btf/sched_process_exec", "tp_btf"),
        ("tp/sched/sched_process_exec", "tp"),
        ("fentry/commit_creds", "fentry"),
        ("fexit/sys_mmap", "fentry"),
        ("kprobe/commit_creds", "kprobe"),
        ("kretprobe/sys_mmap", "kprobe"),
        ("xdp", "xdp"),
    ],
)
def test_kind(name: str, kind: str) -> None:
    """The kind of a rung is the first part of its section; the two ends of a function are of one kind."""
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


@pytest.mark.parametrize(
    ("kind", "rungs"),
    [
        ("fentry", [["fexit/c"], ["fentry/f"]]),
        ("fexit", [["fexit/c"], ["fentry/f"]]),
        ("kprobe", [["kretprobe/c"], ["fentry/f", "tp/f"]]),
        ("kretprobe", [["kretprobe/c"], ["fentry/f", "tp/f"]]),
        ("tp", [["fexit/c", "kretprobe/c", "none"], ["tp/f"]]),
    ],
)
def test_forced_family(kind: str, rungs: list[list[str]]) -> None:
    """Either end of a function stands for both; a hook that is forced on a kind cannot be done without."""
    assert rungs == [[rung.name for rung in hook.rungs] for hook in RICH.forced(kind).hooks]


def test_no_hook_at_all_is_no_kind() -> None:
    """The end of a ladder is no kind to force, nor is it offered as one."""
    with pytest.raises(UsageError, match=r"rich has no hook of kind 'none'; there are: fentry, kprobe, tp$"):
        RICH.forced("none")


@pytest.mark.parametrize("kind", ["lsm", "", "tp/a", "kprobe/exec"])
def test_kind_that_no_hook_has(kind: str) -> None:
    """A kind that no hook has is refused together with the kinds that there are."""
    with pytest.raises(UsageError, match=f"sample has no hook of kind '{kind}'; there are: kprobe, tp, tp_btf$"):
        SAMPLE.forced(kind)


@pytest.mark.parametrize("name", MONITORS)
def test_named(name: str) -> None:
    """A monitor is found by its public name."""
    assert named(name).name == name
    assert MONITORS[name] is named(name)


def test_name_of_no_monitor() -> None:
    """A name of no monitor is refused together with the names that are."""
    there_are = ", ".join(MONITORS | ON_INTERFACES)
    with pytest.raises(UsageError, match=f"there is no monitor 'other'; there are: {there_are}$"):
        named("other")
