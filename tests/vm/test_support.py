"""The support table of the README is what the last results say."""

from pathlib import Path

import pytest

from pyloader.monitors import PROCESS
from tests.vm import judgement, support
from tests.vm.kernels import X86_64
from tests.vm.made_up import flawless
from tests.vm.matrix import Entry
from tests.vm.report import Way

HEAD = (
    (
        "| kernel | machine | process monitor | other monitor | most verified instructions | transports"
        " | pinned | types from a file | result |"
    ),
    "| --- | --- | --- | --- | ---: | --- | --- | --- | --- |",
)


@pytest.fixture(autouse=True)
def _two_monitors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that there are two monitors with few hooks."""
    monkeypatch.setattr(judgement, "MONITORS", {name: PROCESS._replace(name=name) for name in ("process", "other")})
    monkeypatch.setattr(judgement, "ON_INTERFACES", {})


def _entry() -> Entry:
    return Entry(*X86_64[2], flawless("6.12.117-cloud-amd64"))


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
    """The row of a kernel tells on how many rungs of each kind a monitor stands, and that everything works."""
    assert support.table([_entry()]) == [
        *HEAD,
        "| 6.12.117 | x86_64 | tp_btf 3, fentry 1 | tp_btf 3, fentry 1 | 1,000 | ring, perf | yes | yes | passed |",
    ]


def test_a_kernel_that_does_less() -> None:
    """A rung further down, a transport that fails, a pin that is refused and the largest program show in the row."""
    entry = _entry()
    for program in (one for one in entry.report.programs if one.monitor == "process"):
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
        "| 6.12.117 | x86_64 | tp_btf 3, kprobe 1 | tp_btf 3, fentry 1 | 26,975 | ring | no | no | failed |"
    )


def test_a_hook_that_nothing_stands_behind() -> None:
    """A hook without a rung is counted as such, behind the others."""
    entry = _entry()
    for program in entry.report.programs:
        if (program.monitor, program.hook, program.way) == ("other", "exec", Way.RING):
            program.chosen = False

    assert support.table([entry])[-1].split(" | ")[3] == "tp_btf 2, fentry 1, none 1"
