"""The objects load whatever Clang made them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pyloader.binding import BpfObject
from pyloader.monitors import MONITORS, Monitor

ROOT = Path(__file__).parents[2]


@pytest.fixture(name="debian_objects", scope="module")
def _debian_objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the objects that Debian's Clang makes."""
    folder = tmp_path_factory.mktemp("objects")
    subprocess.run(
        [sys.executable, "-m", "bpf.build", "objects", "--output", str(folder)],
        check=True,
        cwd=ROOT,
        env=os.environ | {"BPF_CLANG": "clang"},
    )
    return folder


@pytest.mark.parametrize("monitor", MONITORS.values(), ids=MONITORS)
def test_objects_of_debians_clang_load(debian_objects: Path, monitor: Monitor) -> None:
    """Every program of every monitor passes the verifier when Debian's Clang compiled it."""
    with BpfObject.open((debian_objects / monitor.object).read_bytes(), monitor.name) as loaded:
        programs = list(loaded.programs())
        loaded.select(programs)
        loaded.load()
        assert all(loaded.program_fd(program) >= 0 for program in programs)
