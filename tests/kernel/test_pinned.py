"""Pinned monitors: at work without a reader, read without loss or repetition, upgraded without a gap."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyloader.monitors import MONITORS
from tests.kernel.command import PYLOADER, running
from tests.kernel.observing import Ids, kernel_ids, left_behind, run

INSTANCE = "pyloader-test"
FOLDER = Path("/sys/fs/bpf/pyloader") / INSTANCE
ALONE = ("--instance", INSTANCE)


def pyloader(*words: str, command: list[str] = PYLOADER) -> "subprocess.CompletedProcess[str]":
    """Run a command of pyloader for the instance of these tests."""
    return subprocess.run([*command, *words, *ALONE], check=False, capture_output=True, text=True)


@pytest.fixture(name="pinned")
def _pinned() -> Iterator[None]:
    """Pin the monitors, and remove them in the end."""
    done = pyloader("load")
    assert done.returncode == 0, done.stderr
    yield
    assert pyloader("unload").returncode == 0


def status(name: str = "process") -> dict[str, Any]:
    """Return what `pyloader status` tells of a monitor."""
    told = json.loads(pyloader("status", "--format", "json").stdout)["monitors"]
    (monitor,) = [one for one in told if one["monitor"] == name]
    return dict(monitor)


def numbers(output: bytes, program: Path) -> list[int]:
    """Return the numbers that executions of a program had as argument, of the whole lines of an output."""
    lines = [json.loads(line) for line in output.split(b"\n")[:-1]]
    return [
        int(line["args"][1])
        for line in lines
        if line.get("event") == "process_exec" and line["args"][0] == str(program) and len(line["args"]) == 2
    ]


def test_load_and_unload() -> None:
    """`load` pins in folders for root alone, `status` shows it, and `unload` leaves nothing of it."""
    before = kernel_ids()

    assert pyloader("load").returncode == 0
    for name, monitor in MONITORS.items():
        assert status(name)["loaded"]
        assert {hook.name for hook in monitor.hooks} == {program["hook"] for program in status(name)["programs"]}
    assert {0o700} == {one.stat().st_mode & 0o777 for one in (FOLDER, FOLDER.parent)}
    assert any(left_behind_now(before))

    assert pyloader("unload").returncode == 0
    assert not FOLDER.exists()
    assert not any(status(name)["loaded"] for name in MONITORS)
    assert {"prog": set(), "map": set(), "link": set()} == left_behind(before)


def left_behind_now(before: Ids) -> list[set[int]]:
    """Return what is new in the kernel at this moment."""
    return [ids - before[kind] for kind, ids in kernel_ids().items()]


def test_status_counts(pinned: None, programs: Path) -> None:  # noqa: ARG001
    """`status` counts what was written, and what waits for a reader."""
    before = status()
    run([programs / "flood", "100", programs / "nothing"])
    after = status()

    assert after["written"]["process_exec"] >= before["written"]["process_exec"] + 101
    assert after["waiting"] > before["waiting"]
    assert after["lost"]["process_exec"] == 0


def test_what_came_while_nobody_read_is_read(pinned: None, programs: Path, tmp_path: Path) -> None:  # noqa: ARG001
    """Processes that ran before the reader started are in its output, and not in that of the reader after it."""
    nothing = programs / "nothing"
    run([programs / "flood", "50", nothing])

    with running(tmp_path, "--events", *ALONE) as first:
        pass
    with running(tmp_path, "--events", *ALONE) as second:
        read_again = numbers(second.output.read_bytes(), nothing)

    assert read_again == []
    assert first.process.returncode == 0


def test_every_number_over_twenty_killed_readers(pinned: None, programs: Path, tmp_path: Path) -> None:  # noqa: ARG001
    """Readers killed one after the other under a steady load of executions tell each of them, in order.

    Only what a reader had just printed when it was killed, and had not yet noted as read, is told again by the next.
    """
    nothing, count = programs / "nothing", 8_000
    told: list[int] = []
    repeats = 0
    load = [programs / "steady", str(count), "1000", nothing]
    with subprocess.Popen([str(word) for word in load]) as generator:
        for turn in range(20):
            with running(tmp_path, "--events", *ALONE) as reader:
                time.sleep(0.05 + 0.01 * turn)
                reader.process.send_signal(signal.SIGKILL)
                reader.process.wait(timeout=10)
            now = numbers(whole_lines(reader.output.read_bytes()), nothing)
            again = overlap(told, now)
            repeats += again > 0
            told += now[again:]
        generator.wait(timeout=120)
    with running(tmp_path, "--events", *ALONE) as reader:
        time.sleep(0.5)
    now = numbers(reader.output.read_bytes(), nothing)
    told += now[overlap(told, now) :]

    assert list(range(count)) == told
    assert repeats <= 2


def overlap(before: list[int], after: list[int]) -> int:
    """Return how many numbers at the start of the one row are those at the end of the other."""
    return before[::-1].index(after[0]) + 1 if after and after[0] in before else 0


def whole_lines(output: bytes) -> bytes:
    """Return an output without the line that a kill has cut."""
    return output[: output.rfind(b"\n") + 1]


def test_a_second_sensor_is_refused(pinned: None, tmp_path: Path) -> None:  # noqa: ARG001
    """A second sensor of the same instance says who is first and exits 3; one with another name runs."""
    with running(tmp_path, *ALONE) as first:
        second = pyloader("run", "--duration", "1")
        other = subprocess.run(
            [*PYLOADER, "run", "--duration", "0.5", "--instance", "pyloader-test-2"], check=False, capture_output=True
        )

    assert second.returncode == 3
    assert f"pid {first.process.pid}" in second.stderr
    assert other.returncode == 0


@pytest.fixture(name="other_version")
def _other_version(tmp_path: Path) -> list[str]:
    """Return the command of a package whose objects are another build of the same programs."""
    import pyloader as installed  # noqa: PLC0415 -- where the installed package is.

    copy = tmp_path / "other"
    shutil.copytree(Path(installed.__file__).parent, copy / "pyloader")
    objects = copy / "pyloader" / "objects"
    root = Path(__file__).parents[2]
    subprocess.run(
        [sys.executable, "-m", "bpf.build", "objects", "--output", str(objects)],
        check=True,
        cwd=root,
        env=os.environ | {"BPF_CLANG": "clang"},
    )
    code = f"import sys; sys.path.insert(0, {str(copy)!r}); from pyloader.cli import main; sys.exit(main())"
    return [sys.executable, "-P", "-c", code]


def test_an_upgrade_has_no_gap_and_repeats_nothing(
    pinned: None,  # noqa: ARG001
    programs: Path,
    tmp_path: Path,
    other_version: list[str],
) -> None:
    """While the programs are exchanged under a load of executions, each execution is told, and once."""
    nothing, count = programs / "nothing", 6_000
    before = {program["id"] for program in status()["programs"]}

    with running(tmp_path, "--events", *ALONE) as reader:
        load = [programs / "steady", str(count), "2000", nothing]
        with subprocess.Popen([str(word) for word in load]) as generator:
            for turn in range(6):
                time.sleep(0.2)
                done = pyloader("load", command=other_version if turn % 2 == 0 else PYLOADER)
                assert done.returncode == 0, done.stderr
                assert "already" not in done.stdout
            generator.wait(timeout=60)
        time.sleep(0.3)

    times = Counter(numbers(reader.output.read_bytes(), nothing))
    assert set(range(count)) == set(times)
    assert {number: seen for number, seen in times.items() if seen > 1} == {}
    assert before.isdisjoint(program["id"] for program in status()["programs"])


def test_loss_is_reported_once_over_readers(programs: Path, tmp_path: Path) -> None:
    """What a full pinned ring lost is told by the first reader and not again by the next."""
    assert pyloader("load", "--ring-bytes", "65536").returncode == 0
    try:
        run([programs / "flood", "2000", programs / "nothing"])
        with running(tmp_path, *ALONE) as first:
            pass
        lost = first.lines()[-1]["lost"]
        with running(tmp_path, *ALONE) as second:
            pass
        assert lost["process_exec"] > 0
        assert second.lines()[-1]["lost"] == {}
    finally:
        pyloader("unload")


def test_an_interrupted_load_is_undone(pinned: None) -> None:  # noqa: ARG001
    """What a load that was killed left half made is removed by the next, and what was pinned stays at work."""
    before = status()["since"]
    (FOLDER / "process-new" / "maps").mkdir(parents=True)

    assert pyloader("load").returncode == 0

    assert not (FOLDER / "process-new").exists()
    assert before == status()["since"]
