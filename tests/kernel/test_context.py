"""What an event says about where it happened."""

import subprocess
from pathlib import Path

from pyloader.host import procfs
from tests.kernel.command import running


def unified_hierarchy() -> Path:
    """Return where the unified cgroup hierarchy is mounted."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return Path(next(target for _, target, kind, *_ in mounts if kind == "cgroup2"))


def test_a_container_is_known_by_its_control_group(programs: Path, tmp_path: Path) -> None:
    """A process in a control group that is named like Docker's is shown with the container's id."""
    identifier = "0123456789abcdef" * 4
    group = unified_hierarchy() / f"docker-{identifier}.scope"
    group.mkdir()
    script = f"echo $$ > {group}/cgroup.procs; {programs / 'nothing'} inside; sleep 0.5"
    try:
        with running(tmp_path, "--events") as sensor:
            subprocess.run(["sh", "-c", script], check=True)
    finally:
        group.rmdir()

    (event,) = [
        line
        for line in sensor.lines()
        if line.get("event") == "process_exec" and line["args"] == [str(programs / "nothing"), "inside"]
    ]
    assert identifier[:12] == event["container"]


def test_running_processes_are_known_from_the_start(tmp_path: Path) -> None:
    """The stream begins with the processes that ran before the sensor, as /proc shows them."""
    (seen,) = [one for one in procfs.processes(0) if one.pid == 1]

    with running(tmp_path, "--events") as sensor:
        pass

    (event,) = [line for line in sensor.lines() if line.get("event") == "process_seen" and line["pid"] == 1]
    assert (seen.start, seen.ppid, seen.uid) == (event["start"], event["ppid"], event["uid"])
