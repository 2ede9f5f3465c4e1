"""Recordings: a header, then every record as it came.

The header is a MessagePack array, too, so that any language can read the file: `["pyloader", version, …]`. Replaying a
recording gives the verdicts of the live run, because the records and the header are all that the later stages know.
"""

import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn, Self

import msgspec

from pyloader.errors import RecordingError
from pyloader.records import AnyRecord
from pyloader.records.codec import decode
from pyloader.records.framing import CutOffError, value_end

FORMAT_VERSION = 1

RECORD_LIMIT = 1 << 16
"""No record is longer; what claims to be is damage."""

_CHUNK = 1 << 20


class Header(msgspec.Struct, array_like=True, frozen=True, tag="pyloader"):
    """What a replay must know of the host and the run.

    `realtime_offset` is CLOCK_REALTIME minus CLOCK_BOOTTIME in nanoseconds: it turns timestamps into dates.
    """

    version: int
    boot_id: str
    hostname: str
    kernel: str
    machine: str
    realtime_offset: int

    @classmethod
    def of_this_host(cls) -> Self:
        """Return the header for a run that begins now on this host."""
        system = os.uname()
        return cls(
            version=FORMAT_VERSION,
            boot_id=Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
            hostname=system.nodename,
            kernel=system.release,
            machine=system.machine,
            realtime_offset=time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME),
        )


class RecordingWriter:
    """Write a recording. The file is made readable for its owner only: it holds every command line of the host.

    Nothing is buffered here: however the sensor ends, the file holds all that was handed out.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self._path = path
        self._descriptor = -1
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            if stat.S_ISREG(os.fstat(self._descriptor).st_mode):
                # The mode above counts for new files only.
                os.fchmod(self._descriptor, 0o600)
            self.write(msgspec.msgpack.encode(header))
        except OSError as error:
            self.close()
            message = f"cannot write the recording {path}: {error.strerror}"
            raise RecordingError(message) from error
        except RecordingError:
            self.close()
            raise

    def write(self, records: bytes | memoryview) -> None:
        """Append records back to back. Raises `RecordingError`, for example if the disk is full."""
        rest = memoryview(records)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            message = f"cannot write the recording {self._path}: {error.strerror}; it is cut off there"
            raise RecordingError(message) from error

    def close(self) -> None:
        """Close the file. Further calls do nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class RecordingReader:
    """Read a recording from a file or from bytes in memory."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self._data = b""
        self._offset = 0
        self.header = self._read_header()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a recording. Raises `RecordingError` if the file is missing or is no recording of this version."""
        try:
            file = path.open("rb")
        except OSError as error:
            message = f"cannot read the recording {path}: {error.strerror}"
            raise RecordingError(message) from error
        try:
            return cls(file, str(path))
        except BaseException:
            file.close()
            raise

    def batches(self) -> Iterator[list[AnyRecord]]:
        """Yield the records in lists. Raises `RecordingError` at the first damage, after everything before it."""
        at_end = False
        while not at_end:
            ends, damage = self._split()
            yield from self._decode(ends)
            consumed = ends[-1] if ends else 0
            left = len(self._data) - consumed
            if damage is not None and not isinstance(damage, CutOffError):
                self._fail("this is no record", consumed, damage)
            if left > RECORD_LIMIT:
                self._fail("this claims to be longer than any record", consumed)
            more = self._read_chunk()
            at_end = not more
            if at_end and left:
                self._fail("the file ends inside a record", consumed)
            self._data = self._data[consumed:] + more
            self._offset += consumed

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _split(self) -> tuple[list[int], RecordingError | None]:
        """Return where the whole records in the buffer end, and what is wrong with what follows them."""
        end, ends = 0, []
        try:
            while end < len(self._data):
                end = value_end(self._data, end)
                ends.append(end)
        except RecordingError as error:
            return ends, error
        return ends, None

    def _decode(self, ends: list[int]) -> Iterator[list[AnyRecord]]:
        """Yield the records that end at the given offsets; stop with an error at one that does not decode."""
        records: list[AnyRecord] = []
        begin = 0
        try:
            for end in ends:
                records.append(decode(self._data[begin:end]))
                begin = end
        except msgspec.DecodeError as error:
            yield records
            self._fail("this is no record of this version", begin, error)
        if records:
            yield records

    def _read_header(self) -> Header:
        self._data = self._read_chunk()
        try:
            end = value_end(self._data, 0)
            header = msgspec.msgpack.decode(self._data[:end], type=Header)
        except (RecordingError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            message = f"{self._name} is not a pyloader recording"
            raise RecordingError(message) from error
        if header.version != FORMAT_VERSION:
            message = f"{self._name} has format {header.version}; this version reads format {FORMAT_VERSION}"
            raise RecordingError(message)
        self._data = self._data[end:]
        self._offset = end
        return header

    def _read_chunk(self) -> bytes:
        try:
            return self._file.read(_CHUNK)
        except OSError as error:
            message = f"cannot read the recording {self._name}: {error.strerror}"
            raise RecordingError(message, offset=self._offset) from error

    def _fail(self, what: str, at: int, cause: Exception | None = None) -> NoReturn:
        offset = self._offset + at
        message = f"{self._name} is damaged at byte {offset}: {what}"
        raise RecordingError(message, offset=offset) from cause
