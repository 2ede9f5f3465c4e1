"""Values by key in a stream of JetStream, laid out as its key-value buckets are: `nats kv` shows them.

A value is replaced only by whoever knows its revision: the server compares and sets. So of two who believe that they
alone may write, one is told otherwise (see `TakenError`).
"""

from typing import TYPE_CHECKING, Final

from pyloader.errors import NatsError

if TYPE_CHECKING:
    from nats.aio.client import Client

ANY: Final = -1
"""In place of a revision: whatever is there is replaced."""

_EXPECTED: Final = "Nats-Expected-Last-Subject-Sequence"
_WRONG_REVISION: Final = (10071, 10164)
"""What JetStream answers if the revision is another one (JSStreamWrongLastSequenceErrF and its later companion)."""

_DUPLICATES: Final = 120.0


class TakenError(NatsError):
    """Somebody else has written a value since it was read."""


class Store:
    """One bucket. Its values are forgotten `lifetime` seconds after they were written.

    All methods raise what nats-py raises if the server does not answer.
    """

    def __init__(self, client: "Client", bucket: str, lifetime: float) -> None:
        self.lifetime = lifetime
        self._jetstream = client.jetstream()
        self._stream = f"KV_{bucket}"
        self._prefix = f"$KV.{bucket}."

    async def open(self) -> None:
        """Make the bucket if there is none. One that is there keeps its lifetime while it holds anything."""
        from nats.js.api import DiscardPolicy, StreamConfig  # noqa: PLC0415 -- of the extra.
        from nats.js.errors import NotFoundError  # noqa: PLC0415 -- of the extra.

        config = StreamConfig(
            name=self._stream,
            subjects=[f"{self._prefix}>"],
            max_msgs_per_subject=1,
            max_age=self.lifetime,
            duplicate_window=min(self.lifetime, _DUPLICATES),
            discard=DiscardPolicy.NEW,
            allow_rollup_hdrs=True,
            deny_delete=True,
        )
        try:
            found = await self._jetstream.stream_info(self._stream)
        except NotFoundError:
            await self._jetstream.add_stream(config)
            return
        if found.config.max_age == self.lifetime:
            return
        if found.state.messages:
            self.lifetime = float(found.config.max_age or 0) or self.lifetime
        else:
            await self._jetstream.update_stream(config)

    async def read(self, key: str) -> tuple[bytes, int]:
        """Return a value and its revision; nothing and 0 if there is none."""
        from nats.js.errors import NotFoundError  # noqa: PLC0415 -- of the extra.

        try:
            found = await self._jetstream.get_msg(self._stream, subject=self._prefix + key)
        except NotFoundError:
            return b"", 0
        return found.data or b"", found.seq or 0

    async def write(self, key: str, value: bytes, revision: int) -> int:
        """Replace the value that has this revision, 0 for none, and return the new revision.

        Raises `TakenError` if another has it.
        """
        from nats.js.errors import APIError  # noqa: PLC0415 -- of the extra.

        headers = {_EXPECTED: str(revision)} if revision != ANY else None
        try:
            done = await self._jetstream.publish(self._prefix + key, value, headers=headers)
        except APIError as error:
            if error.err_code not in _WRONG_REVISION:
                raise
        else:
            return done.seq
        # What was written once and not answered may have been written all the same.
        held, now = await self.read(key)
        if held != value:
            message = f"{key} was changed by another"
            raise TakenError(message)
        return now

    async def keys(self, prefix: str = "") -> list[str]:
        """Return the keys that begin with whole words (as in `host.`), sorted."""
        found = await self._jetstream.stream_info(self._stream, subjects_filter=f"{self._prefix}{prefix}>")
        return sorted(subject.removeprefix(self._prefix) for subject in found.state.subjects or ())

    async def remove(self, prefix: str) -> None:
        """Forget all keys that begin with whole words."""
        await self._jetstream.purge_stream(self._stream, subject=f"{self._prefix}{prefix}>")

    async def remove_one(self, key: str) -> None:
        """Forget one key."""
        await self._jetstream.purge_stream(self._stream, subject=self._prefix + key)
