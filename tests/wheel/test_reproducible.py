"""The same sources give the same wheel, wherever it is built."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_sdist_builds_the_same_wheel(sdist: Path, native_wheel: Path, tmp_path: Path) -> None:
    """In an isolated environment pip builds from the sdist, byte for byte, the wheel that `make wheel` built."""
    command = [sys.executable, "-m", "pip", "wheel", "-qq", "--no-deps", "-w", str(tmp_path), str(sdist)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ZIG_", "PYLOADER_"))}
    subprocess.run(command, env={**environment, "PYLOADER_SOURCES": str(ROOT / ".build/sources")}, check=True)
    (rebuilt,) = tmp_path.glob("*.whl")

    assert rebuilt.name == native_wheel.name
    assert _contents(rebuilt) == _contents(native_wheel)
    assert rebuilt.read_bytes() == native_wheel.read_bytes()


def _contents(wheel: Path) -> dict[str, int]:
    """Return every file's checksum: a difference here says which file differs."""
    with zipfile.ZipFile(wheel) as archive:
        return {entry.filename: entry.CRC for entry in archive.infolist()}
