"""What libbpf and the verifier print."""

import pytest

from pyloader.binding.library import library
from pyloader.binding.log import captured_log, refused_program, verifier_verdict

REFUSED = """\
libbpf: prog 'exec_btf': BPF program load failed: Permission denied
libbpf: prog 'exec_btf': -- BEGIN PROG LOAD LOG --
0: R1=ctx() R10=fp0
; int BPF_PROG(exec_btf, struct task_struct *task) @ process_monitor.bpf.c:140
0: (79) r6 = *(u64 *)(r1 +0)
1: (79) r1 = *(u64 *)(r6 +9000)
R6 invalid mem access 'scalar'
verification time 217 usec
stack depth 0
processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
-- END PROG LOAD LOG --
libbpf: prog 'exec_btf': failed to load: -13
libbpf: failed to load object 'process_monitor'
"""

TWO = REFUSED.replace("R6 invalid mem access 'scalar'", "the first reason") + REFUSED


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        ([], ""),
        (["libbpf: failed to find valid kernel BTF\n"], ""),
        ([REFUSED], "R6 invalid mem access 'scalar'"),
        (REFUSED.splitlines(keepends=True), "R6 invalid mem access 'scalar'"),
        ([TWO], "R6 invalid mem access 'scalar'"),
        (["-- BEGIN PROG LOAD LOG --\n-- END PROG LOAD LOG --\n"], ""),
        (["-- BEGIN PROG LOAD LOG --\nprocessed 0 insns\n-- END PROG LOAD LOG --\n"], ""),
        (
            ["-- BEGIN PROG LOAD LOG --\nlast insn is not an exit or jmp\n\n-- END PROG LOAD LOG --\n"],
            "last insn is not an exit or jmp",
        ),
        (["-- END PROG LOAD LOG --\n-- BEGIN PROG LOAD LOG --\ncut off"], ""),
        (["-- BEGIN PROG LOAD LOG --\ncut off"], ""),
    ],
)
def test_verdict(lines: list[str], verdict: str) -> None:
    """The verdict is the last line of the verifier that is no statistics."""
    assert verdict == verifier_verdict(lines)


@pytest.mark.parametrize(
    ("lines", "program"),
    [
        ([], ""),
        (["libbpf: map 'vital': failed to create: Operation not permitted\n"], ""),
        ([REFUSED], "exec_btf"),
        (REFUSED.splitlines(keepends=True), "exec_btf"),
        (["libbpf: prog 'exec_", "btf': failed to load: -22\n"], "exec_btf"),
        (["libbpf: prog 'exec_btf': relo #0\n", "libbpf: prog 'exit_tp': failed to load: -7\n"], "exit_tp"),
        (["libbpf: prog 'exec_btf': failed to find kernel BTF type ID\n"], ""),
    ],
)
def test_refused_program(lines: list[str], program: str) -> None:
    """The program that was refused is the one of which libbpf says that it failed to load, and no other it mentions."""
    assert program == refused_program(lines)


def _provoke() -> None:
    """Make libbpf print something."""
    with pytest.raises(OSError, match="open_mem"):
        library().bpf_object__open_mem(b"no ELF", 6, None)


def test_capture() -> None:
    """What libbpf prints inside the block is captured, and what it prints later is not added."""
    with captured_log() as log:
        _provoke()
    captured = list(log)
    with captured_log() as other:
        pass
    _provoke()

    assert any(line.startswith("libbpf: ") for line in captured)
    assert (log, other) == (captured, [])


def test_debug_lines_are_left_out() -> None:
    """What libbpf says only for its own developers is not kept: it tells of nothing wrong."""
    with captured_log() as log:
        _provoke()

    assert log
    assert not [line for line in log if "loading object" in line]


def test_nothing_reaches_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    """Once a log was captured, libbpf prints nothing by itself."""
    with captured_log():
        pass
    _provoke()

    assert capfd.readouterr() == ("", "")


def test_exception_inside_of_a_capture() -> None:
    """An exception ends the capture, and the next one works."""
    with pytest.raises(KeyError), captured_log():
        raise KeyError
    with captured_log() as log:
        _provoke()

    assert log
