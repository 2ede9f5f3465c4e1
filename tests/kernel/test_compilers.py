"""The objects load whatever Clang made them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pyloader.binding import BpfObject
from pyloader.errors import LoadError
from pyloader.monitors import MONITORS, Monitor, Transport
from pyloader.monitors.climb import object_file
from pyloader.monitors.prepare import prepare

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


def loads(data: bytes, monitor: Monitor, program: str) -> bool:
    """Return whether the kernel takes one program of an object file."""
    with BpfObject.open(data, monitor.name) as loaded:
        loaded.select([program])
        prepare(loaded, transport=Transport.RING, ring_bytes=1 << 16)
        try:
            loaded.load()
        except LoadError:
            return False
        return True


@pytest.mark.parametrize("monitor", MONITORS.values(), ids=MONITORS)
def test_objects_of_debians_clang_load(debian_objects: Path, monitor: Monitor) -> None:
    """The kernel takes every program that Debian's Clang compiled if it takes it from the Clang that we ship with."""
    shipped, debian = object_file(monitor), (debian_objects / monitor.object).read_bytes()
    with BpfObject.open(shipped, monitor.name) as opened:
        existing = set(opened.programs())
    rungs = [rung for hook in monitor.hooks for rung in hook.rungs]
    programs = [program for rung in rungs for program in rung.programs if program in existing]
    taken = [program for program in programs if loads(shipped, monitor, program)]

    for hook in monitor.hooks:
        assert any(rung.program in taken for rung in hook.rungs), f"nothing stands behind {hook.name}"
    assert taken == [program for program in programs if loads(debian, monitor, program)]
