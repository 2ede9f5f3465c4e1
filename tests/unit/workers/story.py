"""A host with many services, in two of which somebody attacks."""

from collections.abc import Iterator

from pyloader.records import AnyRecord, ProcessExec, ProcessExit, ProcessFork
from pyloader.testing import make, remote_shell
from tests.unit.examples import padded

SECOND = 1_000_000_000
SERVICES = 16
ATTACKED = (3, 8)


def service(number: int) -> dict[str, int]:
    """Return the control group and the session of a service."""
    return {"cgroup": 1_000 + number, "session": 500 + number}


def story(seconds: int = 20, attacked: tuple[int, ...] = ATTACKED) -> list[AnyRecord]:
    """Return what happens: every second each service runs a program; halfway, somebody gets a shell in some."""
    return sorted(_told(seconds, attacked), key=lambda record: record.timestamp)


def _told(seconds: int, attacked: tuple[int, ...]) -> Iterator[AnyRecord]:
    for number in range(SERVICES):
        parent, began = 100 + number, 1_000 + number
        name = padded(b"service%d" % number)
        yield make(
            ProcessExec,
            timestamp=SECOND + number,
            pid=parent,
            start=began,
            ppid=1,
            comm=name,
            exe=b"/usr/sbin/service%d" % number,
            filename=b"/usr/sbin/service%d" % number,
            args=b"service%d\0" % number,
            **service(number),
        )
        for second in range(1, seconds):
            pid, start = 10_000 + 100 * number + second, (second + 1) * SECOND + number * 1_000
            common = {"pid": pid, "start": start, "ppid": parent, "parent_start": began, **service(number)}
            yield make(ProcessFork, timestamp=start, comm=name, **common)
            if number in attacked and second == seconds // 2:
                yield remote_shell(timestamp=start + 100, **common)
            else:
                yield make(ProcessExec, timestamp=start + 100, **common)
            yield make(ProcessExit, timestamp=start + 200, pid=pid, start=start)
