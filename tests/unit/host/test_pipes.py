"""Two processes at one pipe find each other."""

import pytest

from pyloader.host import PipeTable, Process, ProcessTable
from tests.unit.examples import exec_record


def _program(pid: int, **streams: int) -> Process:
    """Return a process with the given streams."""
    return ProcessTable().executed(exec_record(pid=pid, **streams))


def _writer(pid: int, pipe: int) -> Process:
    return _program(pid, stdio=0x242, stdout_inode=pipe)


def _reader(pid: int, pipe: int) -> Process:
    return _program(pid, stdio=0x224, stdin_inode=pipe)


@pytest.mark.parametrize("reader_first", [False, True])
def test_ends_meet_in_either_order(*, reader_first: bool) -> None:
    """Whoever executes first, both ends of a pipe are found by its number."""
    table = PipeTable()
    writer, reader = _writer(1, 77), _reader(2, 77)
    for process in (reader, writer) if reader_first else (writer, reader):
        table.connect(process)

    assert table.writer(77) is writer
    assert table.reader(77) is reader


def test_unknown_pipe_has_no_ends() -> None:
    """Nobody is at the ends of a pipe that was never seen."""
    table = PipeTable()

    assert (table.writer(77), table.reader(77)) == (None, None)


@pytest.mark.parametrize("stdio", [0x222, 0x555, 0x666, 0x333])
def test_only_pipes_are_noted(stdio: int) -> None:
    """A socket or file with the same number is no pipe."""
    table = PipeTable()
    table.connect(_program(1, stdio=stdio, stdin_inode=77, stdout_inode=77))

    assert (table.writer(77), table.reader(77)) == (None, None)


def test_first_program_at_an_end_stays() -> None:
    """What a program at a pipe starts inherits the pipe, and does not take its place."""
    table = PipeTable()
    shell = _reader(1, 77)
    table.connect(shell)
    table.connect(_reader(2, 77))

    assert table.reader(77) is shell


def test_program_that_executes_another() -> None:
    """The same process with a new image is the one at the end of its pipe."""
    table = PipeTable()
    table.connect(_reader(1, 77))
    again = _reader(1, 77)
    table.connect(again)

    assert table.reader(77) is again


def test_full_table_gives_up_the_oldest() -> None:
    """Each end holds at most `capacity` pipes; the oldest leave and are counted."""
    table = PipeTable(capacity=3)
    for pipe in range(10, 20):
        table.connect(_writer(pipe, pipe))

    assert [pipe for pipe in range(10, 20) if table.writer(pipe)] == [17, 18, 19]
    assert table.evicted == 7
