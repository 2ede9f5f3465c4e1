"""Recordings shared out among workers as the kernel shares out records, and a source of lanes that reads them."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, get_args

import msgspec

from pyloader.host import Focus, Host
from pyloader.monitors import lane_of, lane_of_source
from pyloader.records import (
    AnyRecord,
    CgroupSeen,
    Elsewhere,
    HookInUse,
    NetworkFlow,
    OfHost,
    PacketAnomaly,
    SourceSummary,
)
from pyloader.records.codec import encode
from pyloader.records.recording import Header, RecordingReader

WORKER: Final = (sys.executable, "-P", str(Path(__file__).with_name("worker.py")))
"""What starts a worker that reads a recording."""

_OF_HOST = get_args(OfHost)


def shared_out(records: Iterable[AnyRecord], lanes: int) -> list[list[AnyRecord]]:
    """Return the records of each lane, in order."""
    host = Host()
    parts: list[list[AnyRecord]] = [[] for _ in range(lanes)]
    for record in records:
        lane = _lane(record, host, lanes)
        for number, part in enumerate(parts):
            if number == lane:
                part.append(record)
            elif isinstance(record, _OF_HOST):
                part.append(Elsewhere.of(record))
    return parts


def _lane(record: AnyRecord, host: Host, lanes: int) -> int:
    process = host.apply(record)
    if process is not None:
        return lane_of(process.cgroup, process.session, lanes)
    if isinstance(record, NetworkFlow | PacketAnomaly | SourceSummary):
        return lane_of_source(record.source, lanes)
    return lane_of(record.cgroup, 0, lanes) if isinstance(record, CgroupSeen) else 0


def record_of(path: Path) -> tuple[Header, list[AnyRecord]]:
    """Return the header of a recording, and all its records."""
    reader = RecordingReader.open(path)
    try:
        return reader.header, [record for batch in reader.batches() for record in batch]
    finally:
        reader.close()


class RecordedLane:
    """A lane of which a recording holds the records."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def encode(self) -> bytes:
        """Return the path."""
        return bytes(self._path)

    def fds(self) -> list[int]:
        """Return none."""
        return []


class RecordedLanes:
    """As many lanes as there are lists of records. `attended` and `asked` tell what was asked of them."""

    def __init__(self, folder: Path, header: Header, parts: Sequence[Iterable[AnyRecord]]) -> None:
        self.header = header
        self.lanes = len(parts)
        self.attended: list[Focus] = []
        self.asked: list[str] = []
        self._paths = [folder / f"lane-{number}.rec" for number in range(len(parts))]
        for path, part in zip(self._paths, parts, strict=True):
            path.write_bytes(msgspec.msgpack.encode(header) + b"".join(map(encode, part)))

    def start(self) -> None:
        """Write it down."""
        self.asked.append("start")

    def description(self, lane: int) -> RecordedLane:
        """Return the recording of a lane."""
        return RecordedLane(self._paths[lane])

    def attend(self, focus: Focus) -> None:
        """Write it down."""
        self.attended.append(focus)

    def fileno(self) -> int | None:
        """Return nothing: there are no interfaces."""
        return None

    def follow(self) -> list[HookInUse]:
        """Return nothing."""
        return []

    def detach(self) -> None:
        """Write it down."""
        self.asked.append("detach")

    def close(self) -> None:
        """Write it down."""
        self.asked.append("close")
