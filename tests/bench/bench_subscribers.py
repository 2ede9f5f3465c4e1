"""From the kernel's timestamp to a consumer in the same process: milliseconds, for each way to consume.

`spawn` creates processes at a fixed pace, three events each, as in `latency`. The clock is read when a consumer has an
assessment in its hands: who iterates over the sensor, an event loop that does, a callback, and a subscription that
somebody waits for in a thread, while four others that nobody takes from drop their oldest.
"""

import asyncio
import gc
import subprocess
import threading
from collections.abc import Callable

from pyloader import Sensor
from tests.bench.figures import Figure
from tests.bench.spawning import Observed, latencies, losses, spawning

TITLE = "kernel to subscriber"
ROUNDS = 3

RATES = (1_000, 5_000)
IDLE = 4


def measure(rounds: int) -> list[Figure]:
    """Measure all ways at all rates in turn."""
    runs: dict[tuple[str, int], list[Observed]] = {(way, rate): [] for rate in RATES for way in WAYS}
    for _ in range(rounds):
        for (way, rate), observed in runs.items():
            observed.append(_run(WAYS[way], rate))
    return [
        shown
        for (way, rate), observed in runs.items()
        for name in [f"{way}, {rate}/s"]
        for shown in (*latencies(name, observed), losses(name, rate, observed))
    ]


def _run(consume: Callable[[Sensor, Observed], None], rate: int) -> Observed:
    observed = Observed()
    with Sensor(monitors=["process"]) as sensor:
        gc.freeze()
        with spawning(rate, observed) as spawn:
            ended = threading.Thread(target=_stop_after, args=(spawn, sensor))
            ended.start()
            consume(sensor, observed)
            ended.join()
        gc.unfreeze()
    return observed


def _stop_after(spawn: "subprocess.Popen[bytes]", sensor: Sensor) -> None:
    spawn.wait()
    sensor.stop()


def _iterate(sensor: Sensor, observed: Observed) -> None:
    for assessment in sensor:
        observed.take(assessment)


def _await(sensor: Sensor, observed: Observed) -> None:
    async def consume() -> None:
        async for assessment in sensor:
            observed.take(assessment)

    asyncio.run(consume())


def _call_back(sensor: Sensor, observed: Observed) -> None:
    sensor.on_assessment(observed.take)
    sensor.wait()


def _subscribe(sensor: Sensor, observed: Observed) -> None:
    for _ in range(IDLE):
        sensor.subscribe(capacity=1_024)
    for assessment in sensor.subscribe():
        observed.take(assessment)


WAYS: dict[str, Callable[[Sensor, Observed], None]] = {
    "for": _iterate,
    "async for": _await,
    "callback": _call_back,
    f"subscription, beside {IDLE} idle ones": _subscribe,
}
