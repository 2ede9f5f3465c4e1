"""What the tests of the wheel share: the files that `make wheel` left in `dist/`."""

import os
import platform
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NATIVE = platform.machine()
OTHER = {"x86_64": "aarch64", "aarch64": "x86_64"}[NATIVE]


def _only(pattern: str) -> Path:
    """Return the one file in `dist/` that fits `pattern`."""
    found = list((ROOT / "dist").glob(pattern))
    assert len(found) == 1, f"dist/ holds {len(found)} files like {pattern}: run `make wheel`"
    return found[0]


@pytest.fixture(name="wheel", scope="session", params=[NATIVE, OTHER])
def _wheel(request: pytest.FixtureRequest) -> Path:
    """Return the wheel of each architecture in turn."""
    return _only(f"pyloader_ebpf-*-py3-none-manylinux2014_{request.param}*.whl")


@pytest.fixture(name="native_wheel", scope="session")
def _native_wheel() -> Path:
    """Return the wheel for this machine."""
    return _only(f"pyloader_ebpf-*-py3-none-manylinux2014_{NATIVE}*.whl")


@pytest.fixture(name="sdist", scope="session")
def _sdist() -> Path:
    """Return the source distribution."""
    return _only("pyloader_ebpf-*.tar.gz")


@pytest.fixture(name="files", scope="session")
def _files(wheel: Path) -> dict[str, bytes]:
    """Return the wheel's files by name."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(name="installed", scope="session")
def _installed(native_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an empty environment; return the folder with its commands.

    While pip works, nothing but this folder is on PATH: there is no compiler to fall back on.
    """
    environment = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    commands = environment / "bin"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            commands / "python",
            "install",
            "-qq",
            "--only-binary=:all:",
            native_wheel,
        ],
        env={**os.environ, "PATH": str(commands)},
        check=True,
    )
    return commands
