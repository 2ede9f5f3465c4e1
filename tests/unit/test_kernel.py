"""What this kernel and this user may do, and what is said if they may not."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyloader import kernel
from pyloader.errors import NotPermittedError, PyloaderError, UnsupportedError
from pyloader.kernel import Capability

ALL = frozenset(Capability)


class _System:
    """`os.uname()` as a test wants it."""

    machine = "x86_64"
    release = "5.4.0-custom"


@pytest.fixture(name="host", autouse=True)
def _host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """Give every test a host on which all is well, and questions that are asked anew."""
    btf = tmp_path / "vmlinux"
    btf.touch()
    monkeypatch.setattr("pyloader.kernel.BTF_PATH", btf)
    monkeypatch.setattr("pyloader.kernel.os.uname", _System)
    monkeypatch.setattr("pyloader.kernel.effective_capabilities", lambda: ALL)
    monkeypatch.setattr("pyloader.kernel.can_create_map", lambda _kind: True)
    kernel.findings.cache_clear()
    yield monkeypatch
    kernel.findings.cache_clear()


def _problem() -> PyloaderError:
    """Return the only problem of the host."""
    [problem] = [finding.problem for finding in kernel.findings() if finding.problem is not None]
    return problem


def test_all_is_well() -> None:
    """On a host that can do everything nothing is raised, and every answer says what was found."""
    kernel.require()

    assert [finding.subject for finding in kernel.findings()] == [
        "architecture",
        "capabilities",
        "kernel types",
        "ring buffer",
    ]
    assert all(finding.detail for finding in kernel.findings())


@pytest.mark.parametrize(
    ("held", "missing"),
    [
        (frozenset(), "CAP_PERFMON and CAP_BPF"),
        ({Capability.BPF}, "CAP_PERFMON"),
        ({Capability.PERFMON}, "CAP_BPF"),
    ],
)
@pytest.mark.parametrize(("uid", "user"), [(1000, "not root"), (0, "root without its capabilities")])
def test_missing_capability(
    host: pytest.MonkeyPatch, held: frozenset[Capability], missing: str, uid: int, user: str
) -> None:
    """Who lacks a capability is told which, and what to do."""
    host.setattr("pyloader.kernel.effective_capabilities", lambda: held)
    host.setattr("pyloader.kernel.os.geteuid", lambda: uid)
    problem = _problem()

    assert isinstance(problem, NotPermittedError)
    assert set(missing.split(" and ")) == {word.rstrip(",") for word in str(problem).split() if word[:4] == "CAP_"}
    assert user in str(problem)
    assert str(problem).endswith("run as root")


@pytest.mark.parametrize("held", [{Capability.SYS_ADMIN}, {Capability.BPF, Capability.PERFMON}])
def test_enough_capabilities(host: pytest.MonkeyPatch, held: set[Capability]) -> None:
    """CAP_SYS_ADMIN alone, or CAP_BPF and CAP_PERFMON together, are enough."""
    host.setattr("pyloader.kernel.effective_capabilities", lambda: frozenset(held))

    kernel.require()


def test_kernel_without_types(host: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A kernel without BTF is named together with the option that it lacks."""
    host.setattr("pyloader.kernel.BTF_PATH", tmp_path / "none")
    problem = _problem()

    assert isinstance(problem, UnsupportedError)
    assert "5.4.0-custom" in str(problem)
    assert "CONFIG_DEBUG_INFO_BTF=y" in str(problem)


def test_unsupported_machine(host: pytest.MonkeyPatch) -> None:
    """A machine that is not supported is told which are."""
    host.setattr(_System, "machine", "riscv64")
    problem = _problem()

    assert isinstance(problem, UnsupportedError)
    assert str(problem) == "riscv64 is not supported; pyloader runs on x86_64 and aarch64"


def test_kernel_without_ring_buffer(host: pytest.MonkeyPatch) -> None:
    """A kernel that refuses a ring buffer is too old, and the message says which is not."""
    host.setattr("pyloader.kernel.can_create_map", lambda _kind: False)
    problem = _problem()

    assert isinstance(problem, UnsupportedError)
    assert str(problem) == "this kernel (5.4.0-custom) has no BPF ring buffer; use Linux 5.8 or newer"


@pytest.mark.parametrize(("answers", "held"), [([None], ALL), ([False], frozenset())])
def test_ring_buffer_that_cannot_be_tried(
    host: pytest.MonkeyPatch, answers: list[bool | None], held: frozenset[Capability]
) -> None:
    """A refusal that has another reason is not blamed on the kernel's age."""
    host.setattr("pyloader.kernel.can_create_map", lambda _kind: answers[0])
    host.setattr("pyloader.kernel.effective_capabilities", lambda: held)

    assert [finding.problem for finding in kernel.findings() if finding.subject == "ring buffer"] == [None]


def test_first_problem_is_raised(host: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of several problems the one that should be mended first is raised."""
    host.setattr("pyloader.kernel.BTF_PATH", tmp_path / "none")
    host.setattr("pyloader.kernel.effective_capabilities", frozenset)

    with pytest.raises(NotPermittedError):
        kernel.require()


def test_questions_are_asked_once(host: pytest.MonkeyPatch) -> None:
    """A second look costs nothing and gives the same answers."""
    first = kernel.findings()
    host.setattr("pyloader.kernel.effective_capabilities", frozenset)

    assert first is kernel.findings()


_effective: Callable[[], frozenset[Capability]] = kernel.effective_capabilities


@pytest.mark.parametrize(
    ("mask", "held"),
    [
        ("0000000000000000", set()),
        ("000001ffffffffff", ALL),
        ("0000008000000000", {Capability.BPF}),
        ("0000004000200000", {Capability.PERFMON, Capability.SYS_ADMIN}),
    ],
)
def test_effective_capabilities(host: pytest.MonkeyPatch, mask: str, held: set[Capability]) -> None:
    """The capabilities are read from the mask of this process."""
    status = f"Name:\tpython\nCapPrm:\t0000000000000000\nCapEff:\t{mask}\nCapBnd:\t000001ffffffffff\n"
    host.setattr("pyloader.kernel.Path.read_text", lambda _path: status)

    assert held == _effective()
