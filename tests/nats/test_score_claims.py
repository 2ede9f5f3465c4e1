"""Of two who believe that they hold a host, only one can say anything about it."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from pyloader.config import NatsSettings
from pyloader.nats.client import connect
from pyloader.nats.score_claims import CLAIMS, Claim, Hold
from pyloader.nats.score_store import ANY, Store, TakenError
from tests.nats.server import NatsServer

T = TypeVar("T")

_LARGE = bytes(range(256)) * 8_192


def _with_store(server: NatsServer, act: Callable[[Store], Awaitable[T]]) -> T:
    async def run() -> T:
        client = await connect(NatsSettings(url=server.url))
        try:
            store = Store(client, "hosts", 3_600.0)
            await store.open()
            return await act(store)
        finally:
            await client.close()

    return asyncio.run(run())


async def _take(store: Store, scorer: str, others: tuple[str, ...] | None = (), stream: str = "then") -> Hold | None:
    return await Hold.take(store, "web", scorer, stream=stream, others=others)


async def _surely(store: Store, scorer: str, others: tuple[str, ...] | None = (), stream: str = "then") -> Hold:
    hold = await _take(store, scorer, others, stream)
    assert hold is not None
    return hold


def test_only_one_holder_may_write(nats_server: NatsServer) -> None:
    """Whoever was thought dead can neither move the place, nor keep a state, nor give the host up for its successor."""

    async def act(store: Store) -> Claim:
        stale = await _surely(store, "a")
        await stale.advance(10)
        fresh = await _surely(store, "b")
        for word in (stale.advance(99), stale.keep(b"stale", 99), stale.release()):
            with pytest.raises(TakenError):
                await word
        await fresh.keep(b"fresh", 20)
        again = await _surely(store, "b")
        assert await again.known() == (b"fresh", False)
        return again.claim

    claim = _with_store(nats_server, act)

    assert (claim.holder, claim.epoch, claim.acknowledged) == ("b", 3, 20)


def test_the_living_are_left_alone(nats_server: NatsServer) -> None:
    """A host whose holder lives, or of whose holder nothing is known, is not taken; one that was given up is."""

    async def act(store: Store) -> None:
        hold = await _surely(store, "a")
        assert await _take(store, "b", ("a", "b")) is None
        assert await _take(store, "b", None) is None
        await hold.release()
        assert await _take(store, "b", None) is not None

    _with_store(nats_server, act)


def test_large_states_come_back(nats_server: NatsServer) -> None:
    """A state of many parts comes back whole, and of its predecessors nothing is left."""

    async def act(store: Store) -> None:
        hold = await _surely(store, "a")
        for number in range(3):
            await hold.keep(_noise(number), number)
        assert {key.split(".")[2] for key in await store.keys("part.")} == {"1-3"}
        assert len(await store.keys("part.")) > 1
        successor = await _surely(store, "b")
        assert await successor.known() == (_noise(2), False)

    _with_store(nats_server, act)


def test_a_damaged_state_is_known_for_damaged(nats_server: NatsServer) -> None:
    """A state of which a part is missing or another is not used."""

    async def act(store: Store) -> None:
        hold = await _surely(store, "a")
        await hold.keep(_LARGE, 1)
        await store.write("part.web.1-1.0", b"other", ANY)
        assert await (await _surely(store, "b")).known() == (None, True)
        await store.remove("part.")
        assert await (await _surely(store, "c")).known() == (None, True)

    _with_store(nats_server, act)


def test_another_stream_of_the_same_name(nats_server: NatsServer) -> None:
    """In a stream that was made anew sequences begin anew, while what is known of the host stays."""

    async def act(store: Store) -> Claim:
        hold = await _surely(store, "a")
        await hold.keep(b"known", 70)
        again = await _surely(store, "a", stream="now")
        assert await again.known() == (b"known", False)
        return again.claim

    claim = _with_store(nats_server, act)

    assert claim.acknowledged == 0
    assert claim.kept is not None
    assert claim.kept.sequence == 0


def test_a_claim_that_is_none(nats_server: NatsServer) -> None:
    """What somebody else has written in place of a claim is replaced by one."""

    async def act(store: Store) -> None:
        await store.write(f"{CLAIMS}web", b"nonsense", ANY)
        assert (await _surely(store, "a")).claim == Claim(holder="a", epoch=1, stream="then")

    _with_store(nats_server, act)


def _noise(number: int) -> bytes:
    """Return bytes that cannot be packed into one part."""
    return random.Random(number).randbytes(600_000)
