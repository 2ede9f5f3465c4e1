"""Commands that read from NATS, and thin sensors whose every record raises an alert that names its number."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import msgspec

from pyloader.config import NatsSettings
from pyloader.nats import Publisher
from pyloader.nats.client import connect
from pyloader.nats.score_claims import CLAIMS, Claim
from pyloader.nats.score_store import Store
from pyloader.records import AnyRecord
from pyloader.records.codec import encode
from pyloader.records.recording import Header
from pyloader.testing import HEADER, remote_shell
from tests.nats.reading import Message, contents
from tests.nats.server import NatsServer

T = TypeVar("T")

PATIENCE: Final = 40.0
_SECOND: Final = 1_000_000_000
_FIRST_PID: Final = 1_000
"""The number 0 is that of this process; none is the parent of another."""


class Command:
    """`pyloader` at work: what it has printed so far, line by line, and how to end it or let it pause."""

    def __init__(self, *arguments: str) -> None:
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._changed = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "pyloader", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYLOADER_CONFIG": os.devnull},
            text=True,
        )
        self._readers = [
            threading.Thread(target=self._follow, args=pair, daemon=True)
            for pair in ((self.process.stdout, self.lines), (self.process.stderr, self.errors))
        ]
        for reader in self._readers:
            reader.start()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition on what was printed holds."""
        with self._changed:
            if not self._changed.wait_for(condition, PATIENCE):
                message = f"it did not come: {self.lines[-5:]} {self.errors[-5:]}"
                raise AssertionError(message)

    def objects(self, kind: str = "alert") -> list[dict[str, Any]]:
        """Return the JSON objects of a type that were printed."""
        with self._changed:
            found = [json.loads(line) for line in self.lines]
        return [one for one in found if one["type"] == kind]

    def send(self, number: int) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def end(self, number: int = signal.SIGTERM) -> int:
        """End it by a signal, and return the exit code."""
        self.send(number)
        code = self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()

    def _follow(self, pipe: Any, lines: list[str]) -> None:  # noqa: ANN401 -- typeshed has a private name for it.
        for line in pipe:
            with self._changed:
                lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()


def scorer(server: NatsServer, *options: str) -> Command:
    """Start a scorer that is soon taken for dead."""
    return Command("score", "--nats", server.url, "--stream", "S", "--lease", "2", "--format", "json", *options)


def header(host: int, boot: int = 0) -> Header:
    """Return the header of a host."""
    return msgspec.structs.replace(HEADER, hostname=f"host-{host}", boot_id=f"{host:04d}{boot:04d}-0000-0000")


def numbered(first: int, count: int) -> list[AnyRecord]:
    """Return records each of which raises an alert about the process with its number."""
    return [
        remote_shell(timestamp=one * _SECOND, pid=one, start=one * _SECOND, session=one)
        for one in range(_FIRST_PID + first, _FIRST_PID + first + count)
    ]


def publish(server: NatsServer, of: Header, records: Sequence[AnyRecord]) -> None:
    """Publish raw records as a thin sensor does, and wait until the stream has them."""
    settings = NatsSettings(url=server.url, stream="S", publish=("records",))
    with Publisher(settings, of) as publisher:
        publisher.records(records, [encode(one) for one in records])


def published(server: NatsServer, host: int) -> list[Message]:
    """Return the alerts about a host that the stream holds, in order."""
    return [one for one in contents(server, "S") if _is_alert_of(one, host)]


def numbers(alerts: Sequence[dict[str, Any]]) -> list[int]:
    """Return the numbers of alerts."""
    return [one["subject"]["pid"] - _FIRST_PID for one in alerts]


def claims(server: NatsServer) -> dict[str, Claim]:
    """Return who has which host."""

    async def read() -> dict[str, Claim]:
        client = await connect(NatsSettings(url=server.url))
        try:
            store = Store(client, "pyloader_hosts_S", 1.0)
            keys = await store.keys(CLAIMS)
            return {
                key.removeprefix(CLAIMS): msgspec.json.decode((await store.read(key))[0], type=Claim) for key in keys
            }
        except Exception as error:
            # There is no bucket before the first scorer.
            if "not found" in str(error).lower():
                return {}
            raise
        finally:
            await client.close()

    return asyncio.run(read())


def until(read: Callable[[], T], condition: Callable[[T], bool]) -> T:
    """Read until a condition on what is read holds, and return that."""
    deadline = time.monotonic() + PATIENCE
    while not condition(found := read()):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return found


def until_claims(server: NatsServer, condition: Callable[[dict[str, Claim]], bool]) -> dict[str, Claim]:
    """Wait until a condition on who has what holds."""
    return until(lambda: claims(server), condition)


def send(server: NatsServer, *messages: tuple[str, bytes]) -> None:
    """Publish payloads on subjects, without identifiers."""

    async def publish_all() -> None:
        client = await connect(NatsSettings(url=server.url))
        try:
            for subject, data in messages:
                await client.publish(subject, data)
            await client.flush()
        finally:
            await client.close()

    asyncio.run(publish_all())


def _is_alert_of(message: Message, host: int) -> bool:
    return message.subject.startswith(f"pyloader.host-{host}.") and message.subject.endswith(".alert")
