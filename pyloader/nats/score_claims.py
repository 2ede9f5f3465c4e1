"""Who scores a host, up to where its alerts are out, and what is known of it: one value per host.

Whoever writes that value must have read it (see `pyloader.nats.score_store`), and to claim a host is to write one's
name into it. So a scorer that was thought dead and comes back can do no harm: it may publish once more what has the
same identifiers, but its next word on the position or on what it knows is refused, and then it knows that the host has
another holder. `epoch` counts the holders.

What is known is too large for one message: it lies in parts beside the claim, under a name that is never used again,
and is known when the claim names it.
"""

import zlib
from collections.abc import Collection
from hashlib import blake2b
from typing import Final, Self

import msgspec

from pyloader.nats.score_store import Store

CLAIMS: Final = "host."
_PARTS: Final = "part."

_PART: Final = 256 * 1024
"""Bytes of a part; a server takes 1 MiB at once unless it is told otherwise."""

LARGEST: Final = 256 * 1024 * 1024
"""Bytes that what is known of a host has at most; more is damage."""


class Kept(msgspec.Struct, frozen=True):
    """What is known of a host after the message with this sequence, and where it lies."""

    sequence: int
    name: str
    parts: int
    digest: str


class Claim(msgspec.Struct, frozen=True, omit_defaults=True):
    """A host's scorer, and how far it has come.

    `holder` is empty if the last one gave the host up. `stream` tells streams of one name apart, for their sequences
    begin anew. What messages up to `acknowledged` brought about is published.
    """

    holder: str = ""
    epoch: int = 0
    stream: str = ""
    acknowledged: int = 0
    kept: Kept | None = None


class Hold:
    """A host that is ours until a `TakenError` says otherwise."""

    def __init__(self, store: Store, host: str, claim: Claim, revision: int) -> None:
        self.host = host
        self.claim = claim
        self._store = store
        self._revision = revision
        self._number = 0

    @classmethod
    async def take(
        cls, store: Store, host: str, scorer: str, *, stream: str, others: Collection[str] | None
    ) -> Self | None:
        """Return a host as ours, unless one of `others` has it; those are all that live, or `None` if nobody knows."""
        found, revision = await store.read(CLAIMS + host)
        claim = _claim(found)
        if claim.holder not in ("", scorer) and (others is None or claim.holder in others):
            return None
        if claim.stream != stream:
            claim = msgspec.structs.replace(claim, stream=stream, acknowledged=0)
            if claim.kept is not None:
                claim = msgspec.structs.replace(claim, kept=msgspec.structs.replace(claim.kept, sequence=0))
        hold = cls(store, host, claim, revision)
        await hold._write(msgspec.structs.replace(claim, holder=scorer, epoch=claim.epoch + 1))
        return hold

    async def known(self) -> tuple[bytes | None, bool]:
        """Return what is kept, or `None`, and whether that is for damage."""
        kept = self.claim.kept
        if kept is None:
            return None, False
        packed = b"".join([(await self._store.read(self._part(kept.name, at)))[0] for at in range(kept.parts)])
        if blake2b(packed, digest_size=32).hexdigest() != kept.digest:
            return None, True
        unpacked = zlib.decompressobj()
        return unpacked.decompress(packed, LARGEST), False

    async def advance(self, acknowledged: int) -> None:
        """Note that all is published up to a sequence. Raises `TakenError` if the host is not ours any more."""
        await self._write(msgspec.structs.replace(self.claim, acknowledged=acknowledged))

    async def keep(self, known: bytes, sequence: int) -> None:
        """Keep what is known after a sequence, up to which all is published. Raises `TakenError` likewise.

        Whoever catches up in silence keeps what lies before the place up to which another has published.
        """
        self._number += 1
        name = f"{self.claim.epoch}-{self._number}"
        packed = zlib.compress(known, 1)
        begins = range(0, len(packed), _PART)
        for at, begin in enumerate(begins):
            await self._store.write(self._part(name, at), packed[begin : begin + _PART], 0)
        kept = Kept(sequence, name, len(begins), blake2b(packed, digest_size=32).hexdigest())
        await self._write(
            msgspec.structs.replace(self.claim, acknowledged=max(self.claim.acknowledged, sequence), kept=kept)
        )
        await self._forget_all_but(name)

    async def release(self) -> None:
        """Give the host up."""
        await self._write(msgspec.structs.replace(self.claim, holder=""))

    async def _write(self, claim: Claim) -> None:
        self._revision = await self._store.write(CLAIMS + self.host, msgspec.json.encode(claim), self._revision)
        self.claim = claim

    async def _forget_all_but(self, name: str) -> None:
        """Remove what no claim names any more; what a later holder is about to keep stays."""
        names = {key.split(".")[2] for key in await self._store.keys(f"{_PARTS}{self.host}.")}
        for one in sorted(names - {name}):
            if int(one.partition("-")[0]) <= self.claim.epoch:
                await self._store.remove(f"{_PARTS}{self.host}.{one}.")

    def _part(self, name: str, at: int) -> str:
        return f"{_PARTS}{self.host}.{name}.{at}"


def _claim(found: bytes) -> Claim:
    """Return the claim in a value; what is none is as good as nothing, and is replaced."""
    try:
        return msgspec.json.decode(found, type=Claim)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Claim()
