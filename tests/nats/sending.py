"""A process that publishes numbered alerts and records, as fast as it can, until it is killed or done.

It prints `ready` when it has started, and then, after each batch that was handed over, the number of the last alert
in it. So what was printed before a kill must arrive. Arguments: URL, spool, first number, how many (0: without end).
"""

import sys
from pathlib import Path

# The tests' own modules; appended, so that `pyloader` is still the installed one.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from pyloader.config import NatsSettings
from pyloader.nats import Publisher
from pyloader.pipeline import Assessment
from pyloader.records.codec import encode
from tests.unit.examples import HEADER, alert, exec_record

BATCH = 5


def main() -> None:
    """Publish."""
    url, spool, first, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    settings = NatsSettings(url=url, stream="S", publish=("alerts", "records"), spool_bytes=1 << 24)
    with Publisher(settings, HEADER, spool=spool) as publisher:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        number = first
        while not count or number < first + count:
            numbers = range(number, number + BATCH)
            publisher.assessments(
                [Assessment(exec_record(), None, 70.0, (), (alert(id=f"alert-{one}"),)) for one in numbers]
            )
            records = [exec_record(pid=one) for one in numbers]
            publisher.records(records, [encode(one) for one in records])
            number += BATCH
            sys.stdout.write(f"{number - 1}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
