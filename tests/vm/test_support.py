"""The support table of the README is what the last results say."""

from pathlib import Path

import pytest

from tests.vm import support
from tests.vm.kernels import X86_64
from tests.vm.made_up import flawless
from tests.vm.matrix import Entry
from tests.vm.report import Way

HEAD = (
    (
        "| kernel | machine | `exec` | `fork` | `exit` | `credentials` | most verified instructions | transports"
        " | pinned | types from a file | result |"
    ),
    "| --- | --- | --- | --- | --- | --- | ---: | --- | --- | --- | --- |",
)


def _entry() -> Entry:
    return Entry(*X86_64[1], flawless("6.1.0-47-cloud-amd64"))


def test_only_the_table_is_replaced(tmp_path: Path) -> None:
    """What stands between the markers is replaced, however often, and nothing else."""
    readme = tmp_path / "README.md"
    readme.write_text(f"# before\n\n{support.BEGIN}\nold\n{support.END}\n\nafter\n")

    support.write(readme, [_entry()])
    support.write(readme, [_entry()])

    lines = support.table([_entry()])
    assert readme.read_text().splitlines() == ["# before", "", support.BEGIN, *lines, support.END, "", "after"]


def test_a_readme_without_markers_stays_as_it_is(tmp_path: Path) -> None:
    """Without both markers nothing is written, and the failure names them."""
    readme = tmp_path / "README.md"
    readme.write_text(f"{support.BEGIN}\nold\n")

    with pytest.raises(support.MarkerError, match=r"README\.md has no lines"):
        support.write(readme, [_entry()])

    assert readme.read_text() == f"{support.BEGIN}\nold\n"


def test_a_kernel_that_does_everything() -> None:
    """The row of a kernel tells the kind of the rung of each hook, and that everything works."""
    assert support.table([_entry()]) == [
        *HEAD,
        "| 6.1.0-47 | x86_64 | tp_btf | tp_btf | tp_btf | fentry | 1,000 | ring, perf | yes | yes | passed |",
    ]


def test_a_kernel_that_does_less() -> None:
    """A rung further down, a transport that fails, a pin that is refused and the largest program show in the row."""
    entry = _entry()
    for program in entry.report.programs:
        if program.kind == "fentry" and program.way == Way.RING:
            program.chosen = False
        elif program.kind == "kprobe" and program.way == Way.RING:
            program.chosen, program.instructions = True, 26_975
        elif program.name == "exec_btf" and program.way == Way.PERF:
            program.problem = "uid is 1 and not 0"
        elif program.name == "exec_btf" and program.way == Way.PINNED:
            program.refused, program.chosen, program.problem = True, False, "the link cannot be pinned"
        elif program.way == Way.RING_BY_FILE:
            program.chosen = False

    assert support.table([entry])[-1] == (
        "| 6.1.0-47 | x86_64 | tp_btf | tp_btf | tp_btf | kprobe | 26,975 | ring | no | no | failed |"
    )
