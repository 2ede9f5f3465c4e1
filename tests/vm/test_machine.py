"""A guest that gives no report is a clear failure."""

from pathlib import Path

import pytest

from tests.vm import machine


def _pretend(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a shell script in the place of the emulator."""
    emulator = folder / "qemu-system-x86_64"
    emulator.write_text(f"#!/bin/sh\n{script}\n")
    emulator.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_a_guest_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When its time is over the emulator is ended, and the failure shows what the console said so far."""
    _pretend(tmp_path, monkeypatch, "echo last words; exec sleep 60")

    with pytest.raises(machine.GuestError, match=r"(?s)a-kernel was not done after 0\.5 s:\nlast words"):
        machine.boot("x86_64", Path("a-kernel"), Path("files"), timeout=0.5)


def test_a_guest_without_a_report_shows_its_console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guest that powers off early is told with its console, as a panic would be."""
    _pretend(tmp_path, monkeypatch, "echo 'Kernel panic - not syncing'")

    with pytest.raises(machine.GuestError, match=r"(?s)powered off without a report:\nKernel panic"):
        machine.boot("x86_64", Path("a-kernel"), Path("files"))


def test_a_missing_emulator_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without qemu the failure names the package list that `make test-tools` installs."""
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(machine.GuestError, match=r"qemu-system-x86_64 is not installed: run `make test-tools`"):
        machine.boot("x86_64", Path("a-kernel"), Path("files"))
