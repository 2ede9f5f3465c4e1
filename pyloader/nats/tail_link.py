"""To be connected for as long as one wants to: a connection that is lost is followed by another."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any, Final

from pyloader.config import NatsSettings
from pyloader.errors import NatsUnreachableError
from pyloader.nats.client import connect

if TYPE_CHECKING:
    from nats.aio.client import Client

_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 10.0
"""Seconds between two attempts to reach a server."""

_AGAIN: Final = 0.5
"""Seconds between two attempts to cancel a task."""

_LEAVING: Final = 20.0
"""Seconds to come to an end when that is asked for."""


async def stay_connected(
    settings: NatsSettings,
    serve: Callable[["Client"], Coroutine[Any, Any, None]],
    *,
    name: str,
    stopping: asyncio.Event,
    warn: Callable[[str], object],
) -> None:
    """Call `serve` with a connection, and again with another when one is lost, until `serve` returns.

    `serve` is to return soon after `stopping` is set, and is cancelled when its connection is lost. That no server
    answers at the beginning is an error; later it is waited for. Raises what `connect` and `serve` raise.
    """
    lost = asyncio.Event()
    client = await connect(settings, name=name, on_error=warn, on_closed=lost.set)
    while True:
        try:
            await _serve(serve(client), lost, stopping)
        finally:
            with contextlib.suppress(Exception):
                await client.close()
        if stopping.is_set():
            return
        warn("the connection to NATS is lost")
        lost = asyncio.Event()
        pause = _FIRST_PAUSE
        while True:
            try:
                client = await connect(settings, name=name, on_error=warn, on_closed=lost.set)
                break
            except NatsUnreachableError:
                pause = min(2 * pause, _LONGEST_PAUSE)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await stopping.wait()
                    return
        warn("connected to NATS again")


async def _serve(serving: Coroutine[Any, Any, None], lost: asyncio.Event, stopping: asyncio.Event) -> None:
    """Serve until the connection is lost, or for a while after `stopping`. Raises what serving raises."""
    served = asyncio.ensure_future(serving)
    signs = [asyncio.ensure_future(event.wait()) for event in (lost, stopping)]
    try:
        await asyncio.wait([served, *signs], return_when=asyncio.FIRST_COMPLETED)
        if stopping.is_set() and not lost.is_set():
            await asyncio.wait([served, signs[0]], timeout=_LEAVING, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end([served, *signs])
    if not served.cancelled():
        served.result()


async def end(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel tasks, and wait until they have ended. nats-py swallows a cancellation now and then: it is repeated."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_AGAIN)


def once(say: Callable[[str], object]) -> Callable[[str], None]:
    """Return what says a sentence unless it was the last that was said: what is tried again fails again."""
    last = ""

    def warn(text: str) -> None:
        nonlocal last
        if text != last:
            last = text
            say(text)

    return warn
