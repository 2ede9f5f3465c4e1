"""Streams of records by which an attacker would try to fill the tables or to slow them, beside ordinary ones.

Each stream is an endless loop over the same kinds of records, so that their cost can be compared: a fork, an
execution, code made at run time, a connection, a listener, a packet source, and an exit. They differ in their keys:
`ordinary` repeats those of a small host, `random` has new ones in each record, `crafted` has numbers that fall on each
other in a table of Python integers, and names that are as long as the kernel lets them be.
"""

import itertools
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pyloader.pipeline import Pipeline
from pyloader.records import AnyRecord, Direction, Outcome, Technique
from pyloader.records.recording import Header
from tests.unit.examples import (
    exec_record,
    exit_record,
    fork_record,
    listening_record,
    opened_record,
    padded,
    protection_record,
    source_record,
)

STEP = 1_000_000
"""Nanoseconds between two records: a thousand a second."""

COLLIDING = 1 << 28
"""Numbers that differ by multiples of this fall into one slot of a table with fewer than so many slots."""

HEADER = Header(version=1, boot_id="bench", hostname="bench", kernel="", machine="", realtime_offset=0)
_PROGRAMS = ("ls", "grep", "sed", "git", "python3", "gcc", "make", "date", "sort", "tar", "nginx", "sh")
_BATCH = 500

Keys = Callable[[int], int]


def ordinary(number: int) -> int:
    """Return a key of a small host."""
    return number % 97


def scattered(chance: random.Random) -> Keys:
    """Return a maker of keys that never come again."""
    return lambda number: number << 20 | chance.getrandbits(20)


def crafted(number: int) -> int:
    """Return a key that falls on the others."""
    return number * COLLIDING


def records(keys: Keys, *, long_names: bool = False) -> Iterator[AnyRecord]:
    """Yield records with these keys for ever."""
    filler = "x" * 200 if long_names else ""
    now = 100_000_000_000
    for number in itertools.count(1):
        key = keys(number)
        name = f"{_PROGRAMS[key % len(_PROGRAMS)]}{'' if keys is ordinary else key}"
        yield from _one_process(number, key, name, filler, now)
        now += 7 * STEP


def _one_process(number: int, key: int, name: str, filler: str, now: int) -> Iterator[AnyRecord]:
    pid, start = 1_000 + number % 4_000_000, now
    uid = 1_000 if key < 1 << 20 else key & 0xFFFFFFFF
    cgroup = 7 if key < 1 << 20 else key
    comm = padded(name.encode()[:15])
    exe = f"/usr/bin/{name}{filler}".encode()[:1_000]
    peer = bytes(10) + b"\xff\xff" + (key & 0xFFFFFFFF).to_bytes(4, "big")
    port = 1_024 + key % 30_000
    who = {"pid": pid, "start": start, "uid": uid, "comm": comm}
    yield fork_record(timestamp=now, ppid=1, parent_start=1, session=pid, cgroup=cgroup, **who)
    yield exec_record(
        timestamp=now + STEP,
        session=pid,
        euid=uid,
        gid=uid,
        cgroup=cgroup,
        inode=key,
        device=1,
        stdio=0x444,
        stdin_inode=key,
        stdout_inode=key + 1,
        args_size=20,
        parent_comm=padded(b"init"),
        filename=exe[:500],
        exe=exe,
        args=f"{name}\0--input\0/srv/{key}{filler}\0".encode(),
        **who,
    )
    yield protection_record(
        timestamp=now + 2 * STEP,
        tid=pid,
        technique=Technique.WRITABLE,
        area=0,
        was=0,
        now=7,
        cgroup=cgroup,
        address=key,
        area_start=key,
        area_end=key + 4_096,
        ip=key,
        **who,
    )
    socket = who | {"cgroup": cgroup, "net_namespace": 1, "family": 2, "local_address": bytes(16)}
    yield opened_record(
        timestamp=now + 3 * STEP,
        direction=Direction.OUTBOUND,
        outcome=Outcome.ESTABLISHED,
        remote_address=peer,
        remote_port=port,
        duration=1_000,
        **socket,
    )
    yield listening_record(timestamp=now + 4 * STEP, local_port=port, backlog=5, **socket)
    yield source_record(
        timestamp=now + 5 * STEP,
        source=peer,
        first_seen=now,
        bytes=64,
        syn=2,
        salience=1,
        interface=1,
        destination=bytes(16),
        destination_port=port,
    )
    yield exit_record(timestamp=now + 6 * STEP, lifetime=6 * STEP, **who)


STREAMS: dict[str, Callable[[], Iterator[AnyRecord]]] = {
    "ordinary": lambda: records(ordinary),
    "random": lambda: records(scattered(random.Random(1))),
    "crafted": lambda: records(crafted),
    "long names": lambda: records(crafted, long_names=True),
}


def main() -> None:
    """Assess so many records of a stream; print the assessments a second, the growth and the end of the memory."""
    name, count = sys.argv[1], int(sys.argv[2])
    stream = STREAMS[name]()
    pipeline = Pipeline(HEADER)
    for record in itertools.islice(stream, 10 * _BATCH):
        pipeline.assess(record)
    before, spent = _resident(), 0
    for _ in range(count // _BATCH):
        batch = list(itertools.islice(stream, _BATCH))
        begin = time.process_time_ns()
        pipeline.assess_all(batch)
        spent += time.process_time_ns() - begin
    after = _resident()
    print(json.dumps({"rate": count / spent * 1e9, "before": before, "after": after}))  # noqa: T201 -- the result.


def _resident() -> float:
    """Return the resident memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4_096 / (1 << 20)


if __name__ == "__main__":
    main()
