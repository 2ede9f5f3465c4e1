"""What the tests of the build chain share: its modules, and a second checkout to build in."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# `bpf.build` is part of no wheel. It is appended, so that `pyloader` is still the installed one.
sys.path.append(str(ROOT))

Build = Callable[..., "subprocess.CompletedProcess[str]"]


def _copy_checkout(folder: Path) -> Path:
    """Copy what the chain reads to `folder`, with the sample program as the only monitor."""
    unpacked = shutil.ignore_patterns("apt", "*.tar.*")
    shutil.copytree(ROOT / "bpf", folder / "bpf", ignore=shutil.ignore_patterns("*_monitor.bpf.c", "__pycache__"))
    shutil.copytree(ROOT / "vmlinux", folder / "vmlinux")
    shutil.copytree(ROOT / ".build" / "sources", folder / ".build" / "sources", ignore=unpacked)
    shutil.copy(ROOT / "tests/build/programs/sample_monitor.bpf.c", folder / "bpf")
    return folder


@pytest.fixture(name="checkout")
def _checkout(tmp_path: Path) -> Path:
    """Return a checkout of its own for one test."""
    return _copy_checkout(tmp_path / "checkout")


@pytest.fixture(name="build", scope="session")
def _build() -> Build:
    """Return a function that runs the build chain of a checkout and returns the finished process."""

    def build(checkout: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "bpf.build", *arguments],
            cwd=checkout,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return build


@pytest.fixture(name="sample", scope="session")
def _sample(tmp_path_factory: pytest.TempPathFactory, build: Build) -> Path:
    """Return a checkout in which the objects are built: the sample's raw output is in `.build/objects`."""
    checkout = _copy_checkout(tmp_path_factory.mktemp("sample") / "checkout")
    done = build(checkout, "objects")
    assert done.returncode == 0, done.stderr
    return checkout
