"""What publishing to NATS costs a sensor, and how fast a spool drains.

A server of the bench's own runs on loopback, with JetStream in a temporary folder, without waiting for the disk. It and
the subscriber's side of the kernel share the machine with the sensor. Timed:

- `throughput`: a sensor that assesses the mixed stream (`tests/bench/streams.py`) from memory, as records a second,
  with nothing published, with alerts only, and with every record as well, over core NATS and into a stream; until the
  last record is assessed. What then waits in the spool is not waited for.
- `handing over`: what the reading thread itself spends on a record in batches of 200, and on an alert, which is written
  to the spool before the call returns; the clock is read around each call.
- `publishing`: processor time of the whole process for a record, from handing over to the last acknowledgement.
- `drain`: records a second that leave a spool when a server comes back, to the last acknowledgement.
"""

import shutil
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from pyloader import Sensor
from pyloader.config import NatsSettings
from pyloader.nats import Publisher
from pyloader.pipeline import Assessment
from pyloader.records import AnyRecord
from pyloader.records.codec import encode
from pyloader.testing import FakeSource
from tests.bench import streams
from tests.bench.figures import CannotMeasureError, Figure, at_least, figure, ratios
from tests.nats.server import NatsServer
from tests.unit.examples import HEADER, alert, exec_record

TITLE = "NATS: throughput, cost, drain"
ROUNDS = 5

PROCESSES = 4_000
BATCH = 200
ALERTS = 500
SHARE = 0.95
"""Publishing alerts is to leave this part of the throughput."""

_OFF, _ALERTS, _CORE, _STREAM = "nothing published", "alerts in a stream", "all, core NATS", "all, in a stream"


def measure(rounds: int) -> list[Figure]:
    """Measure all of it in turn within each round."""
    if shutil.which("nats-server") is None:
        message = "nats-server is not installed"
        raise CannotMeasureError(message)
    records = streams.mixed(PROCESSES)
    rates: dict[str, list[float]] = defaultdict(list)
    costs: dict[str, list[float]] = defaultdict(list)
    drained = []
    for _ in range(rounds):
        for name in (_OFF, _ALERTS, _CORE, _STREAM):
            rates[name].append(_within(partial(_throughput, name), records))
        for name, measured in (("record", _record), ("alert", _alert), ("whole", _whole)):
            costs[name].append(_within(measured, records))
        drained.append(_within(_drain, records))
    return [
        *(figure(f"throughput, {name}", "records/s", values) for name, values in rates.items()),
        figure("  alerts by nothing", "", ratios(rates[_ALERTS], rates[_OFF]), at_least(SHARE)),
        figure("  all, core NATS, by nothing", "", ratios(rates[_CORE], rates[_OFF])),
        figure("  all, in a stream, by nothing", "", ratios(rates[_STREAM], rates[_OFF])),
        figure("handing over a record", "µs", costs["record"]),
        figure("handing over an alert", "µs", costs["alert"]),
        figure("publishing a record, processor time", "µs", costs["whole"]),
        figure("drain of a spool", "records/s", drained),
    ]


def _within(measured: Callable[[list[AnyRecord], NatsServer, Path], float], records: list[AnyRecord]) -> float:
    """Measure with a fresh server and an empty spool."""
    with tempfile.TemporaryDirectory(prefix="pyloader-nats-") as name:
        folder = Path(name)
        (folder / "server").mkdir()
        with NatsServer(folder / "server") as server:
            return measured(records, server, folder / "spool")


def _throughput(name: str, records: list[AnyRecord], server: NatsServer, spool: Path) -> float:
    batches = [records[at : at + BATCH] for at in range(0, len(records), BATCH)]
    sensor = Sensor(source=FakeSource(*batches))
    settings = NatsSettings(
        url=server.url,
        stream="" if name == _CORE else "S",
        publish=("alerts",) if name == _ALERTS else ("alerts", "records"),
    )
    with ExitStack() as held:
        if name != _OFF:
            publisher = held.enter_context(Publisher(settings, sensor.header, spool=spool))
            publisher.attach(sensor)
        with sensor:
            begin = time.perf_counter()
            for _ in sensor.batches():
                pass
            return len(records) / (time.perf_counter() - begin)


def _record(records: list[AnyRecord], server: NatsServer, spool: Path) -> float:
    """Return what handing over costs, in µs a record."""
    raw = [encode(record) for record in records]
    with _publisher(server, spool) as publisher:
        took = []
        for at in range(0, len(records), BATCH):
            batch, data = records[at : at + BATCH], raw[at : at + BATCH]
            begin = time.perf_counter()
            publisher.records(batch, data)
            took.append((time.perf_counter() - begin) / len(batch))
    return statistics.median(took) * 1e6


def _alert(_: list[AnyRecord], server: NatsServer, spool: Path) -> float:
    """Return what handing over costs, in µs an alert."""
    assessed = [Assessment(exec_record(), None, 70.0, (), (alert(id=f"{number}"),)) for number in range(ALERTS)]
    with _publisher(server, spool) as publisher:
        took = []
        for one in assessed:
            begin = time.perf_counter()
            publisher.assessments((one,))
            took.append(time.perf_counter() - begin)
    return statistics.median(took) * 1e6


def _whole(records: list[AnyRecord], server: NatsServer, spool: Path) -> float:
    """Return the processor time of this process, in µs a record."""
    with _publisher(server, spool) as publisher:
        begin = time.process_time()
        _publish(publisher, records)
        _wait(publisher)
        return (time.process_time() - begin) / len(records) * 1e6


def _drain(records: list[AnyRecord], server: NatsServer, spool: Path) -> float:
    """Return the records a second that leave a spool."""
    server.kill()
    with _publisher(server, spool) as publisher:
        _publish(publisher, records)
    server.start()
    with _publisher(server, spool) as publisher:
        begin = time.perf_counter()
        _wait(publisher)
        return len(records) / (time.perf_counter() - begin)


def _publisher(server: NatsServer, spool: Path) -> Publisher:
    settings = NatsSettings(url=server.url, stream="S", publish=("alerts", "records"))
    return Publisher(settings, HEADER, spool=spool)


def _publish(publisher: Publisher, records: list[AnyRecord]) -> None:
    for at in range(0, len(records), BATCH):
        batch = records[at : at + BATCH]
        publisher.records(batch, [encode(one) for one in batch])


def _wait(publisher: Publisher) -> None:
    pause = threading.Event()
    while publisher.stats().waiting:
        pause.wait(0.002)
