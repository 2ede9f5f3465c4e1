"""For the tests of programs that embed pyloader: records, recordings and sources that need neither a kernel nor root.

Example:
    from pyloader import Sensor
    from pyloader.records import ProcessFork
    from pyloader.testing import FakeSource, make, remote_shell

    with Sensor(source=FakeSource([make(ProcessFork, pid=101)], [remote_shell()])) as sensor:
        [alert] = [alert for assessment in sensor for alert in assessment.alerts]
    assert alert.subject.comm == "bash"
"""

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from pyloader.host import Focus
from pyloader.records import AnyRecord, ProcessExec, Record
from pyloader.records.codec import encode
from pyloader.records.recording import Header
from pyloader.records.wire import Padded
from pyloader.sources import ReplaySource, Source

__all__ = ["HEADER", "FakeSource", "ReplaySource", "Source", "make", "recording", "remote_shell"]

R = TypeVar("R", bound=Record)

_SECOND = 1_000_000_000

HEADER = Header(
    version=1,
    boot_id="9f6ba5ab-7f32-4c0c-a5f4-1b1ad0eac4ba",
    hostname="host",
    kernel="6.1.0",
    machine="x86_64",
    realtime_offset=1_700_000_000 * _SECOND,
)
"""What recordings and fake sources say of their host; it booted in November 2023."""

_USUAL = {
    "timestamp": _SECOND,
    "pid": 100,
    "tid": 100,
    "ppid": 1,
    "start": 1000,
    "parent_start": 1,
    "session": 1,
    "uid": 1000,
    "euid": 1000,
    "gid": 1000,
    "cgroup": 7,
    "comm": b"true".ljust(16, b"\0"),
    "parent_comm": b"sh".ljust(16, b"\0"),
    "filename": b"/usr/bin/true",
    "exe": b"/usr/bin/true",
    "args": b"true\0",
}
"""Fields by name: an ordinary process of an ordinary user, one second after the boot."""


def make(kind: type[R], **fields: Any) -> R:  # noqa: ANN401 -- each field has a type of its own.
    """Return a record of a type. What is not given is that of an ordinary process, else 0 or empty.

    Numbers are as the kernel tells them, times nanoseconds since the boot, text bytes. Raises `TypeError` for a field
    that the type does not have.
    """
    given: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        if field.required and field.name not in fields:
            given[field.name] = _USUAL.get(field.name, _empty(field.type))
    return kind(**(given | fields))


def remote_shell(**fields: object) -> ProcessExec:
    """Return the execution of a shell whose three standard streams are one network socket.

    It raises an alert whatever the threshold.
    """
    usual: dict[str, object] = {
        "stdio": 0x666,
        "comm": b"bash".ljust(16, b"\0"),
        "filename": b"/bin/bash",
        "exe": b"/usr/bin/bash",
        "args": b"bash\0-i\0",
    }
    return make(ProcessExec, **(usual | fields))


def recording(*records: AnyRecord, header: Header = HEADER) -> bytes:
    """Return a recording of these records, as a file would hold it, for `Sensor.replay`."""
    return msgspec.msgpack.encode(header) + b"".join(map(encode, records))


class FakeSource:
    """A source that gives prepared batches and writes down what is asked of it.

    `asked` lists the calls of `start`, `stop` and `close`, `timeouts` what `read` was given, `attended` on whom
    attention was. `fails` is raised by `start`.
    """

    def __init__(self, *batches: list[AnyRecord], fails: type[Exception] | None = None) -> None:
        self.header = HEADER
        self.asked: list[str] = []
        self.timeouts: list[float | None] = []
        self.attended: list[Focus] = []
        self._batches = list(batches)
        self._fails = fails

    def start(self) -> None:
        """Begin, or fail if the test wants so."""
        self.asked.append("start")
        if self._fails is not None:
            raise self._fails

    def read(self, timeout: float | None) -> list[AnyRecord]:
        """Return the next batch; raise `EOFError` after the last."""
        self.timeouts.append(timeout)
        if not self._batches:
            raise EOFError
        return self._batches.pop(0)

    def fileno(self) -> int | None:
        """Return `None`: nobody needs to wait."""
        return None

    def patience(self) -> float:
        """Return 0."""
        return 0.0

    def add(self, records: Iterable[AnyRecord]) -> None:
        """Put records, if there are any, before the next batch."""
        added = list(records)
        if added:
            self._batches.insert(0, added)

    def attend(self, focus: Focus) -> None:
        """Write down whom to look at."""
        self.attended.append(focus)

    def stop(self) -> None:
        """End after the next batch."""
        self.asked.append("stop")
        del self._batches[1:]

    def close(self) -> None:
        """Write it down."""
        self.asked.append("close")


def _empty(kind: Any) -> int | bytes:  # noqa: ANN401 -- an annotation has no type of its own.
    """Return 0, or bytes of the width that a field must have."""
    if getattr(kind, "__origin__", kind) is int:
        return 0
    return b"".join(bytes(note.size) for note in kind.__metadata__ if isinstance(note, Padded))
