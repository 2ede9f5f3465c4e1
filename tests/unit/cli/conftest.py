"""What the tests of the command line share: the command as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

import pytest

from tests.unit.examples import REVERSE_SHELL, exec_record, recording

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(name="command", scope="session")
def _command() -> Command:
    """Return a function that runs `pyloader` with arguments and returns the finished process.

    It is the installed package: -P leaves out the working folder. Python's development mode shows whatever is not
    closed, and what goes wrong at the exit.
    """

    def command(
        *arguments: str | Path,
        stdout: IO[bytes] | int = subprocess.PIPE,
        environment: Mapping[str, str] | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-P", "-X", "dev", "-m", "pyloader", *arguments],
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
            timeout=60,
            check=False,
        )

    return command


@pytest.fixture(autouse=True)
def _no_settings_of_this_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every test begin with an empty file of settings."""
    monkeypatch.setenv("PYLOADER_CONFIG", os.devnull)


@pytest.fixture(name="intrusion")
def _intrusion(tmp_path: Path) -> Path:
    """Return a recording of two executions, the second of which raises an alert."""
    path = tmp_path / "intrusion.rec"
    path.write_bytes(recording(exec_record(pid=50), REVERSE_SHELL))
    return path
