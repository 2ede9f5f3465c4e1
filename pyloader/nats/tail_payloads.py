"""What a message holds, told from its payload alone: subjects are a matter of the template.

Records and headers are MessagePack arrays as in recordings, all else are JSON objects whose `type` says what they are.
No array begins as an object does.
"""

from typing import Any, Final, TypeAlias

import msgspec

from pyloader.alerts import Alert, NetworkSubject, Subject
from pyloader.errors import PyloaderError
from pyloader.records import AnyRecord
from pyloader.records.codec import decode
from pyloader.records.recording import FORMAT_VERSION, RECORD_LIMIT, Header

_HEADER: Final = b"\xa8pyloader"
"""The first element of a header, behind the marker of its array."""

Told: TypeAlias = "Alert | AnyRecord | Header | dict[str, Any]"
"""An alert, a raw record, the header of a host, or another object with its `type`."""


class PayloadError(PyloaderError):
    """A message holds nothing that this version reads; `kind` says in two words what is wrong."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"{kind} in a message")
        self.kind = kind


class _Typed(msgspec.Struct):
    type: str


class _AboutProcess(Alert, kw_only=True, frozen=True):
    subject: Subject


class _AboutPackets(Alert, kw_only=True, frozen=True):
    subject: NetworkSubject


_typed: Final = msgspec.json.Decoder(_Typed)
_objects: Final = msgspec.json.Decoder(dict[str, Any])
_about_process: Final = msgspec.json.Decoder(_AboutProcess)
_about_packets: Final = msgspec.json.Decoder(_AboutPackets)
_headers: Final = msgspec.msgpack.Decoder(Header)


def told(data: bytes) -> Told:
    """Return what a payload says. Raises `PayloadError` for everything else, and nothing but that."""
    try:
        if data[:1] == b"{":
            return _object(data)
        if data[1 : 1 + len(_HEADER)] == _HEADER:
            return _header(data)
        if len(data) > RECORD_LIMIT:
            message = "oversized record"
            raise PayloadError(message)
        return decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, OverflowError) as error:
        kind = "malformed object" if data[:1] == b"{" else "malformed record"
        raise PayloadError(kind) from error


def _object(data: bytes) -> Alert | dict[str, Any]:
    if _typed.decode(data).type != "alert":
        return _objects.decode(data)
    try:
        return _about_process.decode(data)
    except msgspec.ValidationError:
        return _about_packets.decode(data)


def _header(data: bytes) -> Header:
    """Return a header. Another version may have more fields, or others: its number is asked for first."""
    fields = msgspec.msgpack.decode(data, type=list[Any])
    if len(fields) > 1 and isinstance(fields[1], int) and fields[1] != FORMAT_VERSION:
        kind = "unknown format"
        raise PayloadError(kind)
    return _headers.decode(data)
