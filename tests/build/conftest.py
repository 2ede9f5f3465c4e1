"""What the tests of the build chain share: its modules, and a second checkout to build in."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# `bpf.build` is part of no wheel. It is appended, so that `pyloader` is still the installed one.
sys.path.append(str(ROOT))

from tests.build.draining import Sample, loaded_sample  # noqa: E402 -- needs the line above.

Build = Callable[..., "subprocess.CompletedProcess[str]"]


def _copy_checkout(folder: Path) -> Path:
    """Copy what the chain reads to `folder`: the sources come along unpacked, so nothing is downloaded."""
    shutil.copytree(ROOT / "bpf", folder / "bpf", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "vmlinux", folder / "vmlinux")
    archives = shutil.ignore_patterns("apt", "*.tar.*")
    shutil.copytree(ROOT / ".build" / "sources", folder / ".build" / "sources", ignore=archives)
    return folder


def _with_sample(checkout: Path) -> Path:
    """Exchange the monitors of a checkout for the sample program."""
    for monitor in (checkout / "bpf").glob("*_monitor.bpf.c"):
        monitor.unlink()
    shutil.copy(ROOT / "tests/build/programs/sample_monitor.bpf.c", checkout / "bpf")
    return checkout


@pytest.fixture(name="full_checkout")
def _full_checkout(tmp_path: Path) -> Path:
    """Return a checkout of its own for one test, with the monitors that ship."""
    return _copy_checkout(tmp_path / "checkout")


@pytest.fixture(name="checkout")
def _checkout(tmp_path: Path) -> Path:
    """Return a checkout of its own for one test, with the sample as its only program."""
    return _with_sample(_copy_checkout(tmp_path / "checkout"))


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
    checkout = _with_sample(_copy_checkout(tmp_path_factory.mktemp("sample") / "checkout"))
    done = build(checkout, "objects")
    assert done.returncode == 0, done.stderr
    return checkout


@pytest.fixture(name="ring")
def _ring(sample: Path) -> Iterator[Sample]:
    """Return the sample, loaded, with an empty ring and an empty perf buffer."""
    with loaded_sample(sample) as loaded:
        yield loaded
