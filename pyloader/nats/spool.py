"""What is to be published and not yet acknowledged: a queue in files, bounded by bytes and by age.

Entries are appended to the newest segment, read from the oldest on, and removed, segment by segment, when they are
acknowledged. While all is well a segment is emptied within moments, and nothing of it ever reaches the disk itself.

What is appended outlives the process at once, for it is with the kernel. It outlives the host, too, once `sync` has
returned; the publisher calls it every second while something waits for longer than that.

Where the disk takes nothing, segments are kept in memory, within a bound of their own, and in order with the others.
What a bound forces out is the oldest segment, and is counted.
"""

import contextlib
import fcntl
import logging
import os
import stat
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple, Self

from pyloader.errors import BusyError, NatsError
from pyloader.nats.losses import Loss, Losses
from pyloader.nats.segments import Entry, frame, read

_LOG: Final = logging.getLogger(__name__)

SEGMENT_BYTES: Final = 1 << 20
CHUNK: Final = 1 << 18

_SHARE: Final = 8
"""No segment takes more than this part of the spool."""

_MOMENT: Final = 1.0

_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH
_SUFFIX: Final = ".spool"


class Place(NamedTuple):
    """Where an entry ends: the number of its segment, and the offset in it."""

    segment: int
    end: int


class _Segment:
    """One file, or as much in memory."""

    __slots__ = ("acknowledged", "data", "is_dirty", "latest", "number", "since", "size")

    def __init__(self, number: int, size: int, latest: float, data: bytearray | None) -> None:
        self.number = number
        self.size = size
        self.latest = latest
        """When something was last appended (s since 1970)."""
        self.data = data
        """What it holds, if it is not a file."""
        self.acknowledged = 0
        """Up to which offset all is acknowledged."""
        self.is_dirty = False
        """Whether the disk may not have all of it."""
        self.since = latest
        """When it began to be so (s since 1970)."""


class Spool:
    """A queue of entries. Appending is safe from another thread than all the rest."""

    def __init__(
        self,
        folder: Path | None,
        losses: Losses,
        *,
        limit_bytes: int,
        limit_seconds: float,
        memory_bytes: int,
        clock: Callable[[], float],
        taken: Callable[[], int] = lambda: 0,
        make_room: Callable[[], bool] = lambda: False,
        prologue: Callable[[], Entry] | None = None,
    ) -> None:
        """Take over what a folder holds; without one everything is in memory.

        `taken` says how many bytes of the bound are not ours. `make_room` is called when the disk is full, and returns
        whether it may not be any more. The entry that `prologue` makes stands at the beginning of every new segment.
        """
        self.disk_bytes = 0
        """What is on disk."""
        self.damaged = 0
        """Places where an entry must have been and could not be read."""
        self._folder = folder
        self._losses = losses
        self._limit_bytes = limit_bytes
        self._limit_seconds = limit_seconds
        self._memory_bytes = memory_bytes
        self._segment_bytes = min(SEGMENT_BYTES, max(4096, (limit_bytes if folder else memory_bytes) // _SHARE))
        self._clock = clock
        self._taken = taken
        self._make_room = make_room
        self._prologue = prologue
        self._lock = threading.RLock()
        self._writing = -1
        """The descriptor of the newest segment, if that is a file."""
        self._is_full = False
        self._segments: deque[_Segment] = deque()
        self._at = Place(0, 0)
        """Up to where was read."""
        self._next = 1
        if folder is not None:
            self._take_over(folder)

    @property
    def size(self) -> int:
        """Bytes that wait, on disk and in memory."""
        with self._lock:
            return sum(segment.size - segment.acknowledged for segment in self._segments)

    @property
    def has_unread(self) -> bool:
        """Whether `read` would find something."""
        with self._lock:
            last = self._segments[-1] if self._segments else None
            return last is not None and self._at < (last.number, last.size)

    @property
    def is_empty(self) -> bool:
        """Whether everything was acknowledged."""
        return self.size == 0

    @property
    def is_behind(self) -> bool:
        """Whether something waits for longer than a moment that the disk may not have."""
        limit = self._clock() - _MOMENT
        with self._lock:
            return any(segment.is_dirty and segment.since < limit for segment in self._segments)

    def append(self, entries: list[Entry]) -> None:
        """Append entries. What there is no room for is counted as lost."""
        data = bytearray()
        for entry in entries:
            data += frame(entry)
            if len(data) >= self._segment_bytes:
                self._append(bytes(data))
                data.clear()
        if data:
            self._append(bytes(data))

    def read(self) -> list[tuple[Place, Entry]]:
        """Return the next entries that were not read, about 256 KiB of them."""
        with self._lock:
            for segment in self._segments:
                if (segment.number, segment.size) <= self._at:
                    continue
                begin = self._at.end if segment.number == self._at.segment else segment.acknowledged
                found = self._read(segment, begin)
                if found:
                    self._at = found[-1][0]
                    return found
                self._at = Place(segment.number, segment.size)
                if begin == segment.acknowledged:
                    segment.acknowledged = segment.size
            while self._segments and self._segments[0].acknowledged >= self._segments[0].size > 0:
                self._remove(self._segments[0])
            return []

    def acknowledge(self, place: Place) -> None:
        """Remove everything up to a place that was read."""
        with self._lock:
            while self._segments and self._segments[0].number < place.segment:
                self._remove(self._segments[0])
            if not self._segments or self._segments[0].number != place.segment:
                return
            oldest = self._segments[0]
            oldest.acknowledged = max(oldest.acknowledged, place.end)
            if oldest.acknowledged >= oldest.size:
                is_open = self._writing >= 0 or self._folder is None
                if oldest is self._segments[-1] and is_open and oldest.size < self._segment_bytes:
                    self._empty(oldest)
                else:
                    self._remove(oldest)

    def rewind(self) -> None:
        """Let `read` begin anew with what is not acknowledged."""
        with self._lock:
            oldest = self._segments[0] if self._segments else None
            self._at = Place(oldest.number, oldest.acknowledged) if oldest is not None else Place(0, 0)

    def expire(self) -> None:
        """Give up segments in which everything is too old."""
        limit = self._clock() - self._limit_seconds
        with self._lock:
            while self._segments and self._segments[0].size and self._segments[0].latest < limit:
                self._lose(self._segments[0], "too old")

    def give_up_oldest(self) -> bool:
        """Give up the oldest segment on disk, so that another spool has room; return whether there was one."""
        with self._lock:
            for segment in self._segments:
                if segment.data is None and segment.size:
                    self._lose(segment, "disk full")
                    return True
        return False

    def hold_bounds(self) -> None:
        """Give up the oldest segments until the rest fits, with all that is not ours."""
        with self._lock:
            self._hold_bounds()

    def sync(self) -> None:
        """Wait until the disk has everything that was appended."""
        with self._lock:
            dirty = [segment for segment in self._segments if segment.is_dirty]
            for segment in dirty:
                segment.is_dirty = False
        if self._folder is None or not dirty:
            return
        for path in [*(self._path(segment.number) for segment in dirty), self._folder]:
            with contextlib.suppress(OSError):
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)

    def close(self) -> None:
        """Let go of the files. What is only in memory is counted as lost."""
        with self._lock:
            for segment in list(self._segments):
                if segment.data is not None and segment.size > segment.acknowledged:
                    self._lose(segment, "closed")
                elif segment.size <= segment.acknowledged:
                    self._remove(segment)
            self._stop_writing()

    def _take_over(self, folder: Path) -> None:
        """Find the segments that an earlier process has left."""
        folder.mkdir(mode=0o700, exist_ok=True)
        found = []
        with os.scandir(folder) as files:
            for file in files:
                stem = file.name.removesuffix(_SUFFIX)
                if stem != file.name and stem.isdecimal() and file.is_file(follow_symlinks=False):
                    state = file.stat(follow_symlinks=False)
                    found.append(_Segment(int(stem), state.st_size, state.st_mtime, None))
        found.sort(key=lambda segment: segment.number)
        for segment in found:
            self._next = segment.number + 1
            if segment.size:
                self._segments.append(segment)
            else:
                self._path(segment.number).unlink(missing_ok=True)
        self._hold_bounds()

    def _append(self, data: bytes) -> None:
        with self._lock:
            newest = self._segments[-1] if self._segments else None
            if newest is None or newest.size >= self._segment_bytes or (self._folder is not None and self._writing < 0):
                before, newest = newest, self._begin(newest)
                if newest is not before and self._prologue is not None:
                    data = frame(self._prologue()) + data
            if newest.data is None and not self._write(newest, data):
                newest = self._in_memory()
            if newest.data is not None:
                newest.data += data
            newest.size += len(data)
            newest.latest = self._clock()
            self._hold_bounds()

    def _path(self, number: int) -> Path:
        return (self._folder or Path()) / f"{number:016d}{_SUFFIX}"

    def _begin(self, newest: _Segment | None) -> _Segment:
        """Begin a segment, on disk if possible; while it is not, go on with the one in memory."""
        if self._folder is not None:
            self._stop_writing()
            try:
                self._writing = os.open(
                    self._path(self._next),
                    os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW,
                    0o600,
                )
            except OSError as error:
                self._note_full(error)
            else:
                return self._add(None)
        if newest is not None and newest.data is not None and newest.size < self._segment_bytes:
            return newest
        return self._add(bytearray())

    def _in_memory(self) -> _Segment:
        """Return a segment in memory behind the one on which the disk has failed."""
        failed = self._segments[-1]
        self._stop_writing()
        if not failed.size:
            self._remove(failed)
        return self._segments[-1] if self._segments and self._segments[-1].data is not None else self._add(bytearray())

    def _add(self, data: bytearray | None) -> _Segment:
        segment = _Segment(self._next, 0, self._clock(), data)
        self._next += 1
        self._segments.append(segment)
        return segment

    def _write(self, segment: _Segment, data: bytes) -> bool:
        """Append to a file, all or nothing."""
        rest = memoryview(data)
        try:
            while rest:
                try:
                    rest = rest[os.write(self._writing, rest) :]
                except OSError:
                    if not self._make_room():
                        raise
                    rest = rest[os.write(self._writing, rest) :]
        except OSError as error:
            self._note_full(error)
            with contextlib.suppress(OSError):
                os.ftruncate(self._writing, segment.size)
            return False
        if self._is_full:
            _LOG.warning("the spool %s takes messages again", self._folder)
            self._is_full = False
        if not segment.is_dirty:
            segment.is_dirty = True
            segment.since = self._clock()
        return True

    def _note_full(self, error: OSError) -> None:
        if not self._is_full:
            self._is_full = True
            _LOG.warning("the spool %s takes nothing (%s): what waits is in memory only", self._folder, error.strerror)

    def _stop_writing(self) -> None:
        descriptor, self._writing = self._writing, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _read(self, segment: _Segment, begin: int) -> list[tuple[Place, Entry]]:
        """Return entries of a segment from an offset on."""
        size = CHUNK
        grows = segment is self._segments[-1] and (segment.data is not None or self._writing >= 0)
        while True:
            data = self._bytes(segment, begin, min(size, segment.size - begin))
            at_end = begin + size >= segment.size
            found = read(data, at_end=at_end and not grows)
            if found.entries or at_end:
                break
            size *= 2
        if found.damaged:
            self.damaged += found.damaged
            _LOG.warning("the spool %s is damaged in %d places", self._folder, found.damaged)
            now = int(self._clock() * 1e9)
            self._losses.add(Loss("message", "damaged", found.damaged, now, now))
        ends = found.ends
        if at_end and ends:
            # Damage behind the last entry goes with it.
            ends[-1] = segment.size - begin
        return [(Place(segment.number, begin + end), entry) for end, entry in zip(ends, found.entries, strict=True)]

    def _bytes(self, segment: _Segment, begin: int, size: int) -> bytes:
        if segment.data is not None:
            return bytes(segment.data[begin : begin + size])
        try:
            with self._path(segment.number).open("rb") as file:
                return os.pread(file.fileno(), size, begin)
        except OSError as error:
            _LOG.warning("the spool %s cannot be read: %s", self._path(segment.number), error.strerror)
            return b""

    def _hold_bounds(self) -> None:
        """Give up the oldest segments until the rest fits."""
        for is_disk, limit in ((True, self._limit_bytes - self._taken()), (False, self._memory_bytes)):
            held = [segment for segment in self._segments if (segment.data is None) == is_disk]
            size = sum(segment.size for segment in held)
            for segment in held:
                if size <= limit:
                    break
                size -= segment.size
                self._lose(segment, "spool full" if is_disk else "memory full")
            if is_disk:
                self.disk_bytes = size

    def _lose(self, segment: _Segment, reason: str) -> None:
        """Give up a segment, and count what was in it."""
        begin = segment.acknowledged
        found = read(self._bytes(segment, begin, segment.size - begin), at_end=True)
        self._losses.add_entries(found.entries, reason)
        self._remove(segment)

    def _remove(self, segment: _Segment) -> None:
        """Forget a segment."""
        if segment is self._segments[-1]:
            self._stop_writing()
        self._segments.remove(segment)
        if segment.data is None:
            with contextlib.suppress(OSError):
                self._path(segment.number).unlink()

    def _empty(self, segment: _Segment) -> None:
        """Go on at the beginning of the newest segment, of which all is acknowledged."""
        with contextlib.suppress(OSError):
            if segment.data is None:
                os.ftruncate(self._writing, 0)
            else:
                segment.data.clear()
            segment.size = segment.acknowledged = 0
            segment.is_dirty = False
            self._at = Place(segment.number, 0)


class SpoolFolder:
    """The folder of all spools of one publisher: nobody else can use it meanwhile."""

    def __init__(self, path: Path) -> None:
        """Open and lock it; it is made if it is missing.

        Raises `BusyError` if another publisher uses it, and `NatsError` if it cannot be used.
        """
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            message = f"the spool {path} cannot be used: {error.strerror}; choose another folder"
            raise NatsError(message) from error
        found = os.fstat(self._descriptor)
        if found.st_uid not in (0, os.geteuid()) or found.st_mode & _OTHERS:
            self.close()
            message = (
                f"others may write to the spool {path} and publish in our name; forbid it, or choose another folder"
            )
            raise NatsError(message)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.close()
            message = f"another process publishes from the spool {path}; choose another folder"
            raise BusyError(message) from error

    def close(self) -> None:
        """Unlock it. Further calls do nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
