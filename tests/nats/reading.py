"""What a stream or a subject holds, for tests that look at what was published."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from pyloader.config import NatsSettings
from pyloader.nats.client import connect
from tests.nats.server import NatsServer


class Message(NamedTuple):
    """A message of a stream."""

    subject: str
    id: str
    data: bytes

    @property
    def object(self) -> dict[str, Any]:
        """Its payload, which is JSON."""
        found: dict[str, Any] = json.loads(self.data)
        return found


def contents(server: NatsServer, stream: str) -> list[Message]:
    """Return all messages of a stream, in order."""

    async def read() -> list[Message]:
        client = await connect(NatsSettings(url=server.url))
        try:
            manager = client.jsm(timeout=10)
            state = (await manager.stream_info(stream)).state
            found: list[Message] = []
            if not state.messages:
                return found
            subscription = await client.jetstream().subscribe(">", stream=stream, ordered_consumer=True)
            for _ in range(state.messages):
                one = await subscription.next_msg(timeout=20)
                found.append(Message(one.subject, (one.headers or {}).get("Nats-Msg-Id", ""), one.data))
            return found
        finally:
            await client.close()

    return asyncio.run(read())


def delete(server: NatsServer, stream: str) -> None:
    """Delete a stream."""

    async def ask() -> None:
        client = await connect(NatsSettings(url=server.url))
        try:
            await client.jsm(timeout=10).delete_stream(stream)
        finally:
            await client.close()

    asyncio.run(ask())


def listen(server: NatsServer, subject: str, act: Callable[[], object], count: int) -> list[Message]:
    """Subscribe, act, and return as many messages as are asked for."""

    async def read() -> list[Message]:
        client = await connect(NatsSettings(url=server.url))
        try:
            subscription = await client.subscribe(subject)
            await client.flush()
            acting = asyncio.ensure_future(asyncio.to_thread(act))
            found = []
            for _ in range(count):
                one = await subscription.next_msg(timeout=20)
                found.append(Message(one.subject, (one.headers or {}).get("Nats-Msg-Id", ""), one.data))
            await acting
            return found
        finally:
            await client.close()

    return asyncio.run(read())
