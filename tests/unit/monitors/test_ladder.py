"""The monitors that are declared."""

import re
from pathlib import Path

import pytest

from pyloader.errors import UnsupportedError
from pyloader.monitors import MONITORS, Monitor, named

EVERY = list(MONITORS.values())


@pytest.mark.parametrize("monitor", EVERY, ids=lambda monitor: monitor.name)
def test_programs_exist(root: Path, monitor: Monitor) -> None:
    """Every rung names a program of the monitor's source, and every program stands on a rung."""
    source = (root / "bpf" / monitor.object.replace(".bpf.o", ".bpf.c")).read_text()
    rungs = [rung.program for hook in monitor.hooks for rung in hook.rungs]
    programs = re.findall(
        r'^SEC\("(?:tp|tp_btf|raw_tp|fentry|lsm)[^"]*"\)\n(?:static |int )*(?:BPF_PROG\()?(\w+)', source, re.MULTILINE
    )

    assert sorted(programs) == sorted(rungs)


@pytest.mark.parametrize("monitor", EVERY, ids=lambda monitor: monitor.name)
def test_best_rung_sees_everything(monitor: Monitor) -> None:
    """What a rung cannot see is told against the one above it: the best is blind to nothing."""
    assert monitor.hooks
    assert [hook.name for hook in monitor.hooks if hook.rungs[0].blind_to] == []
    assert len(monitor.hooks) == len({hook.name for hook in monitor.hooks})


def test_named() -> None:
    """A monitor is found by its public name."""
    assert MONITORS["process"] is named("process")


def test_name_of_no_monitor() -> None:
    """A name of no monitor is refused together with the names that are."""
    with pytest.raises(UnsupportedError, match="there is no monitor 'memory'; there are: process"):
        named("memory")
