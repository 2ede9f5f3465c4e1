"""A thin sensor: reads the pinned process monitor and publishes raw records, until it is stopped or killed.

It prints `ready` when it watches. Arguments: URL, spool, instance.
"""

import signal
import sys
from pathlib import Path

from pyloader import Sensor
from pyloader.config import NatsSettings
from pyloader.nats import Publisher


def main() -> None:
    """Publish."""
    url, spool, instance = sys.argv[1:4]
    sensor = Sensor(monitors=["process"], instance=instance, score=False)
    signal.signal(signal.SIGTERM, lambda *_: sensor.stop())
    settings = NatsSettings(url=url, stream="S", publish=("records",))
    with Publisher(settings, sensor.header, spool=Path(spool)) as publisher:
        publisher.attach(sensor)
        with sensor:
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            for _ in sensor.batches():
                pass


if __name__ == "__main__":
    main()
