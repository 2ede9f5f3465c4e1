"""A monitor's programs go down their ladders until the kernel is content, and leave nothing behind."""

import errno
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import pytest

from pyloader.binding import BpfObject
from pyloader.errors import AttachError, LoadError, UnsupportedError, VerifierError
from pyloader.monitors import Hook, Rung
from pyloader.monitors.climb import Climbed, climb, digest, object_file
from tests.unit.monitors.kernel import MONITOR, RICH, FakeKernel, FakeObject


def _climb(btf: Path | None = None) -> Climbed:
    return climb(MONITOR, lambda loaded: loaded.resize_map("vital", 65_536), btf=btf)


def _refusals(climbed: Climbed) -> dict[str, list[str]]:
    return {hook: [one.rung.program for one in refusals] for hook, refusals in climbed.refusals.items()}


_CASES = [
    (set[str](), ["exec_1", "exit_1"], 1),
    ({"exec_1"}, ["exec_2", "exit_1"], 2),
    ({"exit_1"}, ["exec_1", "exit_2"], 2),
    ({"exec_1", "exec_2"}, ["exec_3", "exit_1"], 3),
    ({"exec_1", "exec_2", "exit_1"}, ["exec_3", "exit_2"], 4),
]


@pytest.mark.parametrize("step", ["load", "attach"])
@pytest.mark.parametrize(("refused", "programs", "attempts"), _CASES)
def test_steps_down(kernel: FakeKernel, step: str, refused: set[str], programs: list[str], attempts: int) -> None:
    """Each hook takes the best rung that can be loaded and attached; each attempt that failed is closed."""
    setattr(kernel, {"load": "refused", "attach": "unattachable"}[step], refused)
    climbed = _climb()

    assert programs == [rung.program for rung in climbed.rungs.values()]
    assert programs == kernel.last.selected == kernel.last.attached
    assert attempts == len(kernel.made)
    assert [one.closed for one in kernel.made] == [True] * (attempts - 1) + [False]
    assert [one.attached for one in kernel.made[:-1]] == [[]] * (attempts - 1)
    assert refused == {program for programs in _refusals(climbed).values() for program in programs}
    climbed.held.close()
    assert kernel.last.closed
    assert kernel.last.attached == []


def test_mixed_refusals(kernel: FakeKernel) -> None:
    """Refusals at load and at attach add up, and each keeps its reason, the best rung first."""
    kernel.refused, kernel.unattachable = {"exec_2"}, {"exec_1", "exit_1"}
    climbed = _climb()

    assert [rung.program for rung in climbed.rungs.values()] == ["exec_3", "exit_2"]
    assert _refusals(climbed) == {"exec": ["exec_1", "exec_2"], "exit": ["exit_1"]}
    assert [type(one.reason) for one in climbed.refusals["exec"]] == [AttachError, VerifierError]


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ESRCH])
def test_nothing_to_hook(kernel: FakeKernel, number: int) -> None:
    """Where the kernel lacks what one program hooks, only the hook of that program steps down."""
    kernel.unattachable, kernel.errno = {"call_1"}, number
    climbed = climb(RICH, lambda _: None)

    assert _refusals(climbed) == {"call": ["call_1"], "file": []}
    assert kernel.last.attached == ["call_2", "further_2", "file_1"]


@pytest.mark.parametrize("number", [errno.EPERM, errno.EINVAL, errno.EOPNOTSUPP])
def test_kind_that_cannot_be_attached(kernel: FakeKernel, number: int) -> None:
    """What cannot be attached for any other reason is refused for its kind: all hooks on it step down at once."""
    kernel.unattachable, kernel.errno = {"call_1", "file_1"}, number
    climbed = climb(RICH, lambda _: None)

    assert _refusals(climbed) == {"call": ["call_1"], "file": ["file_1"]}
    assert kernel.last.attached == ["call_2", "further_2", "file_2"]
    assert len(kernel.made) == 2


def test_kind_that_cannot_be_loaded(kernel: FakeKernel) -> None:
    """A kind that the kernel does not allow costs one attempt, and is the reason for each hook that was on it."""
    kernel.forbidden = {"call_1", "file_1"}
    climbed = climb(RICH, lambda _: None)

    assert {str(one.reason) for refusals in climbed.refusals.values() for one in refusals} == {
        "the kernel refused call_1: Operation not permitted"
    }
    assert _refusals(climbed) == {"call": ["call_1"], "file": ["file_1"]}
    assert len(kernel.made) == 2


def test_all_rungs_of_a_kind_are_passed(kernel: FakeKernel) -> None:
    """A hook that leaves a kind does not try a further rung of that kind."""
    hook = Hook("exec", (Rung("fentry/a", "exec_1"), Rung("fexit/a", "exec_2"), Rung("tp/a", "exec_3")))
    kernel.forbidden = {"exec_1", "exec_2"}
    climbed = climb(MONITOR._replace(hooks=(hook,)), lambda _: None)

    assert climbed.rungs["exec"].program == "exec_3"
    assert len(kernel.made) == 2


def test_hook_that_knows_no_other_kind(kernel: FakeKernel) -> None:
    """A hook without a way down stays when others of its kind step down, and decides by its own refusal."""
    first, second = RICH.hooks
    lonely = RICH._replace(hooks=(first, second._replace(rungs=second.rungs[:1])))
    kernel.forbidden = {"call_1"}
    climbed = climb(lonely, lambda _: None)
    assert kernel.last.attached == ["call_2", "further_2", "file_1"]
    climbed.held.close()

    kernel.forbidden = {"call_1", "file_1"}
    with pytest.raises(LoadError, match="refused file_1"):
        climb(lonely, lambda _: None)
    assert all(one.closed and not one.attached for one in kernel.made)


def test_programs_beside(kernel: FakeKernel) -> None:
    """All programs of a rung are loaded and attached, each with a link by its name."""
    climbed = climb(RICH, lambda _: None)

    assert kernel.last.selected == kernel.last.attached == ["call_1", "further_1", "file_1"]
    assert list(climbed.links) == ["call_1", "further_1", "file_1"]


def test_program_beside_that_is_absent(kernel: FakeKernel) -> None:
    """A program that the object of this architecture lacks is left out, and its rung holds without it."""
    kernel.absent = {"further_1"}
    climbed = climb(RICH, lambda _: None)

    assert kernel.last.attached == list(climbed.links) == ["call_1", "file_1"]
    assert _refusals(climbed) == {"call": [], "file": []}


@pytest.mark.parametrize("step", ["refused", "unattachable"])
def test_program_beside_that_is_refused(kernel: FakeKernel, step: str) -> None:
    """A rung holds with all of its programs or not at all."""
    setattr(kernel, step, {"further_1"})
    climbed = climb(RICH, lambda _: None)

    assert _refusals(climbed) == {"call": ["call_1"], "file": []}
    assert kernel.last.attached == ["call_2", "further_2", "file_1"]


def test_hook_that_a_host_can_do_without(kernel: FakeKernel) -> None:
    """A hook of which no way holds ends on the rung without programs, tells every refusal, and stops no other hook."""
    kernel.refused = {"call_1", "further_2"}
    climbed = climb(RICH, lambda _: None)

    assert climbed.rungs["call"] == RICH.hooks[0].rungs[-1]
    assert _refusals(climbed) == {"call": ["call_1", "call_2"], "file": []}
    assert kernel.last.attached == list(climbed.links) == ["file_1"]


def test_every_attempt_is_prepared(kernel: FakeKernel) -> None:
    """The maps are set up anew for each attempt."""
    kernel.refused = {"exec_1"}
    _climb()

    assert [one.sizes for one in kernel.made] == [{"vital": 65_536}] * 2


@pytest.mark.parametrize(
    ("refused", "unattachable", "reason"),
    [
        ({"exit_1", "exit_2"}, set[str](), "refused exit_2"),
        ({"exec_1", "exec_2", "exec_3"}, set[str](), "refused exec_3"),
        (set[str](), {"exec_1", "exec_2", "exec_3"}, "cannot attach exec_3"),
        ({"exit_1"}, {"exit_2"}, "cannot attach exit_2"),
    ],
)
def test_gives_up_after_the_last_rung(
    kernel: FakeKernel, refused: set[str], unattachable: set[str], reason: str
) -> None:
    """If the last rung is refused, too, its refusal is raised with what explains it, and nothing stays behind."""
    kernel.refused, kernel.unattachable = refused, unattachable

    with pytest.raises(LoadError, match=reason) as caught:
        _climb(Path("kernel.btf"))

    assert caught.value.__notes__ == ["explained with kernel.btf"]
    assert len(refused | unattachable) == len(kernel.made)
    assert all(one.closed and not one.attached for one in kernel.made)


@pytest.mark.parametrize("program", ["", "other", "exec_2"])
def test_refusal_that_is_no_programs_fault(kernel: FakeKernel, program: str) -> None:
    """A refusal that names no program of the rungs in use ends at once: another rung would not help."""
    kernel.error = LoadError("no", program=program)

    with pytest.raises(LoadError):
        _climb()

    assert [one.closed for one in kernel.made] == [True]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(24, "Too many open files")])
def test_other_errors_close_the_attempt(kernel: FakeKernel, error: BaseException) -> None:
    """Whatever interrupts the loading, the attempt is closed."""
    kernel.error = error

    with pytest.raises(type(error)):
        _climb()

    assert [one.closed for one in kernel.made] == [True]


def test_preparation_that_fails(kernel: FakeKernel) -> None:
    """If the maps cannot be set up, the object is closed."""

    def prepare(_loaded: BpfObject) -> None:
        message = "no such map"
        raise OSError(2, message)

    with pytest.raises(OSError, match="no such map"):
        climb(MONITOR, prepare)

    assert [one.closed for one in kernel.made] == [True]


def test_what_must_be_ready_for_the_first_program(kernel: FakeKernel) -> None:
    """What `ready` opens is there before anything is attached, and goes with the attempt or with the monitor."""
    kernel.unattachable = {"exit_1"}
    open_now: list[FakeObject] = []

    def ready(loaded: BpfObject, held: ExitStack) -> None:
        fake = cast("FakeObject", loaded)
        assert fake.attached == []
        open_now.append(fake)
        held.callback(open_now.remove, fake)

    climbed = climb(MONITOR, lambda _: None, ready=ready)

    assert open_now == [kernel.last]
    climbed.held.close()
    assert open_now == []


def test_rung_whose_needs_are_missing(kernel: FakeKernel, tmp_path: Path) -> None:
    """A rung whose file is missing is not tried, and stands among the refusals with that file."""
    [first, second] = MONITOR.hooks
    needy = first._replace(rungs=(first.rungs[0]._replace(needs=tmp_path / "probes"), *first.rungs[1:]))
    climbed = climb(MONITOR._replace(hooks=(needy, second)), lambda _: None)

    assert len(kernel.made) == 1
    assert climbed.rungs["exec"].program == "exec_2"
    [refusal] = climbed.refusals["exec"]
    assert (refusal.rung.program, type(refusal.reason)) == ("exec_1", UnsupportedError)
    assert str(tmp_path / "probes") in str(refusal.reason)


def test_refusals_are_told_from_above(kernel: FakeKernel, tmp_path: Path) -> None:
    """Of every better rung it is told, in order, whether the kernel refused it or lacks what it needs."""
    [first, second] = MONITOR.hooks
    rungs = (first.rungs[0], first.rungs[1]._replace(needs=tmp_path / "probes"), first.rungs[2])
    kernel.refused = {"exec_1"}
    climbed = climb(MONITOR._replace(hooks=(first._replace(rungs=rungs), second)), lambda _: None)

    assert [str(one.reason) for one in climbed.refusals["exec"]] == [
        "the kernel's verifier refused exec_1",
        f"this kernel has no {tmp_path / 'probes'}",
    ]
    assert [one.selected[0] for one in kernel.made] == ["exec_1", "exec_3"]


def test_last_rung_is_tried_in_any_case(kernel: FakeKernel, tmp_path: Path) -> None:
    """A last rung whose needs are missing is tried for the sake of its error."""
    [first, second] = MONITOR.hooks
    lonely = first._replace(rungs=(first.rungs[0]._replace(needs=tmp_path / "probes"),))
    kernel.refused = {"exec_1"}

    with pytest.raises(VerifierError, match="exec_1"):
        climb(MONITOR._replace(hooks=(lonely, second)), lambda _: None)
    assert len(kernel.made) == 1


def test_rungs_below_are_no_refusals(kernel: FakeKernel, tmp_path: Path) -> None:
    """A rung that could not be tried and stands below the one that holds is no loss."""
    [first, second] = MONITOR.hooks
    rungs = (first.rungs[0], first.rungs[1]._replace(needs=tmp_path / "probes"), first.rungs[2])
    climbed = climb(MONITOR._replace(hooks=(first._replace(rungs=rungs), second)), lambda _: None)

    assert kernel.last.selected == ["exec_1", "exit_1"]
    assert _refusals(climbed) == {"exec": [], "exit": []}


def test_kernel_without_types(kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the kernel has no types, the other object is used, with the file that describes them."""
    monkeypatch.setattr("pyloader.kernel.BTF_PATH", tmp_path / "vmlinux")
    climbed = _climb(tmp_path / "kernel.btf")
    opened = cast("FakeObject", climbed.object)

    assert (opened.data, opened.btf) == (b"untyped", tmp_path / "kernel.btf")
    assert climbed.rungs["exec"].program == "exec_2"
    assert object_file(MONITOR._replace(untyped_object="")) == b"typed"
    assert len(kernel.made) == 1


def test_digest_tells_objects_apart() -> None:
    """Two object files have one digest only if they are equal; it fits the room that the programs have for it."""
    assert digest(b"one") != digest(b"other")
    assert len(digest(b"")) == 32
