"""All questions in their order, and which of them a start of the sensor pays for."""

import time
from pathlib import Path

import pytest

from pyloader import kernel
from pyloader.binding.probe import MAP_ARRAY
from pyloader.errors import ArchitectureError, KernelTypesError, LibraryError, NotRootError, PyloaderError
from pyloader.kernel import Level
from tests.unit.kernel.conftest import Kernel, MakeHost

NO_TYPES = {"/sys/kernel/btf/vmlinux": None}
NO_RIGHTS = {"/proc/self/status": "CapEff:\t0\n"}

REQUIRED = ["kernel", "capabilities", "kernel types", "lockdown", "libbpf"]
TRIED = ["seccomp", "program kinds", "ring buffer", "locked memory"]
OTHERS = [
    "network rights",
    "kernel.unprivileged_bpf_disabled",
    "kernel.perf_event_paranoid",
    "tracefs",
    "bpffs",
]


def test_all_is_well(make_host: MakeHost) -> None:
    """On a host that can do everything nothing is raised, and every answer says what was found."""
    found = kernel.findings(host=make_host())

    assert [*REQUIRED, *TRIED, *OTHERS] == [finding.subject for finding in found]
    assert {Level.OK} == {finding.level for finding in found}
    assert all(finding.detail for finding in found)
    assert found[0].detail == "Linux 5.4.0-custom on x86_64"


def test_unsupported_machine(make_host: MakeHost) -> None:
    """A machine that is not supported is told which are."""
    host = make_host(machine="riscv64")

    with pytest.raises(ArchitectureError) as caught:
        kernel.require(host=host)

    assert str(caught.value) == ("riscv64 is not supported: run pyloader on x86_64 or aarch64, with a 64-bit kernel")


@pytest.mark.parametrize(
    ("files", "kind"), [(NO_TYPES | NO_RIGHTS, NotRootError), (NO_TYPES, KernelTypesError)], ids=["rights", "types"]
)
def test_first_problem_is_raised(make_host: MakeHost, files: dict[str, str | None], kind: type[PyloaderError]) -> None:
    """Of several problems the one that should be mended first is raised, and `findings` tells them all."""
    host = make_host(files, uid=1000)

    with pytest.raises(kind):
        kernel.require(host=host)

    assert len(files) == len([one for one in kernel.findings(host=host) if one.problem is not None])


def test_types_from_a_file(make_host: MakeHost, tmp_path: Path) -> None:
    """With a file of types it is the file that is judged."""
    with pytest.raises(KernelTypesError, match=r"none\.btf cannot be read"):
        kernel.require(tmp_path / "none.btf", make_host())


def test_nothing_is_tried_where_bpf_is_refused(make_host: MakeHost, able: Kernel) -> None:
    """What only bpf(2) can tell is not told where it is refused, rather than told wrongly."""
    able.maps[MAP_ARRAY] = False
    found = kernel.findings(host=make_host())

    assert [*REQUIRED, TRIED[0], *OTHERS] == [finding.subject for finding in found]


def test_nothing_is_tried_without_the_library(monkeypatch: pytest.MonkeyPatch, make_host: MakeHost) -> None:
    """A library that cannot be loaded is a finding like others; what it is needed for is left out."""

    def missing() -> None:
        message = "the library is missing"
        raise LibraryError(message)

    monkeypatch.setattr("pyloader.kernel.parts.library", missing)
    host = make_host()
    found = kernel.findings(host=host)

    assert [*REQUIRED, *OTHERS] == [finding.subject for finding in found]
    assert found[4].way_out == "the library is missing"
    with pytest.raises(LibraryError):
        kernel.require(host=host)


def test_requirements_are_cheap(make_host: MakeHost) -> None:
    """A start of the sensor does not wait for what `doctor` looks at."""
    host = make_host()
    kernel.require(host=host)
    begin = time.perf_counter()
    kernel.require(host=host)

    assert time.perf_counter() - begin < 0.01
