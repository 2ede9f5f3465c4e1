"""The table of kernels by programs keeps what is known and shows it."""

from pathlib import Path

from tests.vm import matrix
from tests.vm.kernels import X86_64
from tests.vm.report import Program, Report, Way

OLD, NEW = X86_64[0], X86_64[-1]


def _report(release: str, instructions: int, **details: object) -> Report:
    program = Program(Way.RING, "process", "exec", "tp_btf/exec", "exec_btf", instructions, **details)  # type: ignore[arg-type]
    return Report(release, "x86_64", [program])


def test_a_partial_run_leaves_the_other_kernels(tmp_path: Path) -> None:
    """A kernel that is tried again replaces its own rows; the rows of others stay, and the oldest comes first."""
    file = tmp_path / "matrix.json"
    matrix.keep(file, {NEW: _report("7.3.4-cloud", 100), OLD: _report("5.10.0-46-cloud", 200)})

    table = matrix.keep(file, {NEW: _report("7.3.5+deb13-cloud", 300)}).splitlines()

    assert [line.split() for line in table] == [
        ["5.10.0-46", "7.3.5"],
        ["x86_64"] * 2,
        ["process/exec_btf", "ring", "200", "300"],
    ]


def test_results_of_another_form_are_forgotten(tmp_path: Path) -> None:
    """A file from before reports had their present form counts as none, and is replaced by the next results."""
    file = tmp_path / "matrix.json"
    file.write_text('[{"series": "5.10", "architecture": "x86_64"}]')

    assert matrix.read(file) == []
    matrix.keep(file, {OLD: _report("5.10", 100)})
    assert [entry.series for entry in matrix.read(file)] == [OLD]


def test_the_table_tells_what_happened(tmp_path: Path) -> None:
    """A cell shows the verified instructions, the rung in use, a failure, or a refusal."""
    file = tmp_path / "matrix.json"

    used = matrix.keep(file, {OLD: _report("5.10", 100, chosen=True)})
    failed = matrix.keep(file, {OLD: _report("5.10", 100, problem="uid is 1 and not 0")})
    refused = matrix.keep(file, {OLD: _report("5.10", 0, problem="invalid argument", refused=True)})

    assert [table.split()[-1] for table in (used, failed, refused)] == ["100*", "FAILED", "refused"]
