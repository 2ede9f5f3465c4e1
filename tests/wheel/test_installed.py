"""The installed wheel works on a machine without compilers and without a checkout."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest


def _run(commands: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run `pyloader` with nothing on PATH but its own environment, away from the checkout."""
    return subprocess.run(
        [commands / "pyloader", *arguments],
        cwd=commands,
        env={"PATH": str(commands), "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_there_is_no_compiler(installed: Path) -> None:
    """The environment of these tests has no compiler, so a passing test needed none."""
    assert [name for name in ("cc", "gcc", "clang", "zig", "llc") if shutil.which(name, path=str(installed))] == []


def test_help_works(installed: Path) -> None:
    """The command starts from the wheel alone."""
    done = _run(installed, "--help")

    assert done.returncode == 0, done.stderr
    assert "doctor" in done.stdout


@pytest.mark.kernel
def test_doctor_reports(installed: Path) -> None:
    """`pyloader doctor` reports this host as JSON; 1 means that it found something missing."""
    done = _run(installed, "doctor", "--format", "json")

    assert done.returncode in {0, 1}, done.stderr
    assert json.loads(done.stdout)


@pytest.mark.kernel
def test_live_run_ends_with_a_summary(installed: Path) -> None:
    """A live run loads the shipped objects, ends by itself with exit code 0, and prints its summary last."""
    done = _run(installed, "run", "--duration", "2", "--format", "json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["type"] == "summary"
