"""What the sensor itself says and writes: losses, and recordings with records good and bad."""

import msgspec

from pyloader.records import AnyRecord, EventLoss
from pyloader.records.codec import encode
from pyloader.records.recording import Header
from tests.unit.examples.ground import SECOND
from tests.unit.examples.processes import fork_record

HEADER = Header(
    version=1,
    boot_id="9f6ba5ab-7f32-4c0c-a5f4-1b1ad0eac4ba",
    hostname="host",
    kernel="6.1.0",
    machine="x86_64",
    realtime_offset=1_700_000_000 * SECOND,
)


def loss_record(count: int = 3, timestamp: int = SECOND, lost: int = 1) -> EventLoss:
    """Return a loss of executions on CPU 0."""
    return EventLoss(timestamp=timestamp, lost=lost, cpu=0, count=count)


def recording(*records: AnyRecord, header: Header = HEADER) -> bytes:
    """Return a recording as a file would hold it."""
    return msgspec.msgpack.encode(header) + b"".join(map(encode, records))


NESTED = (
    msgspec.msgpack.encode([*msgspec.msgpack.decode(encode(fork_record())), None])[:-1] + b"\x91" * 60_000 + b"\x00"
)
"""A fork with one more field, which is nested deeper than any decoder that calls itself can go."""
