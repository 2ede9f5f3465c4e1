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
from typing import Any

from pyloader.pipeline import Pipeline
from pyloader.records import (
    AnyRecord,
    ConnectionOpened,
    Direction,
    MemoryProtection,
    Outcome,
    ProcessExec,
    ProcessExit,
    ProcessFork,
    SocketListening,
    SourceSummary,
    Technique,
)
from pyloader.records.recording import Header

STEP = 1_000_000
"""Nanoseconds between two records: a thousand a second."""

COLLIDING = 1 << 28
"""Numbers that differ by multiples of this fall into one slot of a table with fewer than so many slots."""

_HEADER = Header(version=1, boot_id="bench", hostname="bench", kernel="", machine="", realtime_offset=0)
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
    comm = name.encode()[:15].ljust(16, b"\0")
    exe = f"/usr/bin/{name}{filler}".encode()[:1_000]
    peer = bytes(10) + b"\xff\xff" + (key & 0xFFFFFFFF).to_bytes(4, "big")
    port = 1_024 + key % 30_000
    yield ProcessFork(
        timestamp=now, pid=pid, ppid=1, start=start, parent_start=1, session=pid, uid=uid, cgroup=cgroup, comm=comm
    )
    yield ProcessExec(
        timestamp=now + STEP,
        pid=pid,
        ppid=1,
        start=start,
        parent_start=1,
        session=pid,
        uid=uid,
        euid=uid,
        gid=uid,
        capabilities=0,
        cgroup=cgroup,
        pid_namespace=1,
        mount_namespace=2,
        inode=key,
        device=1,
        flags=0,
        stdio=0x444,
        stdin_inode=key,
        stdout_inode=key + 1,
        args_size=20,
        comm=comm,
        parent_comm=b"init".ljust(16, b"\0"),
        filename=exe[:500],
        exe=exe,
        args=f"{name}\0--input\0/srv/{key}{filler}\0".encode(),
    )
    yield MemoryProtection(
        timestamp=now + 2 * STEP,
        pid=pid,
        tid=pid,
        ppid=1,
        start=start,
        uid=uid,
        technique=Technique.WRITABLE,
        area=0,
        was=0,
        now=7,
        exposure=0,
        count=1,
        cgroup=cgroup,
        address=key,
        length=4_096,
        area_start=key,
        area_end=key + 4_096,
        ip=key,
        comm=comm,
        file=b"",
    )
    socket: dict[str, Any] = {
        "pid": pid,
        "ppid": 1,
        "start": start,
        "uid": uid,
        "cgroup": cgroup,
        "net_namespace": 1,
        "family": 2,
        "protocol": 6,
        "comm": comm,
    }
    yield ConnectionOpened(
        timestamp=now + 3 * STEP,
        direction=Direction.OUTBOUND,
        outcome=Outcome.ESTABLISHED,
        error=0,
        local_address=bytes(16),
        local_port=40_000,
        remote_address=peer,
        remote_port=port,
        duration=1_000,
        **socket,
    )
    yield SocketListening(timestamp=now + 4 * STEP, local_address=bytes(16), local_port=port, backlog=5, **socket)
    yield SourceSummary(
        timestamp=now + 5 * STEP,
        source=peer,
        prefix=128,
        doubled=1,
        first_seen=now,
        bytes=64,
        syn=2,
        fin=0,
        rst=0,
        udp=0,
        icmp=0,
        other=0,
        handshakes=0,
        anomalies=0,
        anomaly_kinds=0,
        ports=1,
        addresses=1,
        salience=1,
        interface=1,
        destination=bytes(16),
        destination_port=port,
        protocol=6,
    )
    yield ProcessExit(
        timestamp=now + 6 * STEP,
        pid=pid,
        ppid=1,
        start=start,
        uid=uid,
        code=0,
        signal=0,
        core_dumped=0,
        lifetime=6 * STEP,
        comm=comm,
    )


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
    pipeline = Pipeline(_HEADER)
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
