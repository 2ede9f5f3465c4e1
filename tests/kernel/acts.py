"""Run the C programs of these tests, which tell the addresses and numbers that they are about to use."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

NOBODY = 65534
AS_NOBODY = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
"""Options of `act` for a process without privileges."""


class Act(NamedTuple):
    """What a program did: its pid, its exit status or negative signal, and the last number told of each name."""

    pid: int
    status: int
    told: dict[str, int]


def act(command: Sequence[str | Path], **options: object) -> Act:
    """Run a program to its end."""
    words = [str(word) for word in command]
    quiet = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(words, stdout=subprocess.PIPE, **(quiet | options)) as process:  # type: ignore[call-overload]
        output, _ = process.communicate(timeout=60)
    return Act(process.pid, process.returncode, numbers(output))


def numbers(output: bytes) -> dict[str, int]:
    """Return what a program told: lines of a name and hex digits."""
    return {name: int(value, 16) for name, value in (line.split() for line in output.decode().splitlines())}


class Waiting(NamedTuple):
    """A program that waits for its input to end, and what it told."""

    process: "subprocess.Popen[bytes]"
    told: dict[str, int]


@contextmanager
def waiting(command: Sequence[str | Path], lines: int) -> Iterator[Waiting]:
    """Start a program that tells so many lines and then waits; end it by ending its input."""
    words = [str(word) for word in command]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Waiting(process, numbers(b"".join(process.stdout.readline() for _ in range(lines))))
        finally:
            process.stdin.close()
