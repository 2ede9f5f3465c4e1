"""Between bytes and records."""

import msgspec

from pyloader.records import AnyRecord, Malformed, Record

_one: msgspec.msgpack.Decoder[AnyRecord] = msgspec.msgpack.Decoder(AnyRecord)
_many: msgspec.msgpack.Decoder[list[AnyRecord]] = msgspec.msgpack.Decoder(list[AnyRecord])
_encoder = msgspec.msgpack.Encoder()

ARRAY_HEADER = 5
"""Bytes of an `array 32` header."""

_RAW_LIMIT = 4_096
"""As much of a malformed record as is kept."""


def encode(record: Record) -> bytes:
    """Return a record as it stands in a recording. Whoever decodes it gets an equal record."""
    return _encoder.encode(record)


def decode(data: bytes | memoryview) -> AnyRecord:
    """Decode one record. Raises `msgspec.DecodeError`, of which a record of the wrong form is a special case."""
    try:
        return _one.decode(data)
    except RecursionError as error:
        message = "values are nested too deeply"
        raise msgspec.DecodeError(message) from error


def decode_batch(data: bytes | memoryview, ends: list[int], timestamp: int) -> tuple[list[AnyRecord], int]:
    """Decode a MessagePack array of records in one go; return them and how many are malformed.

    `ends[i]` is the offset just past record i, and record 0 begins behind the 5 bytes of an `array 32` header. A
    record that does not decode costs only itself: `Malformed` with the given timestamp takes its place.
    """
    try:
        return _many.decode(data), 0
    except (msgspec.DecodeError, RecursionError):
        pass
    records: list[AnyRecord] = []
    malformed = 0
    for begin, end in zip([ARRAY_HEADER, *ends[:-1]], ends, strict=True):
        try:
            records.append(decode(data[begin:end]))
        except msgspec.DecodeError:
            records.append(Malformed(timestamp=timestamp, raw=bytes(data[begin:end][:_RAW_LIMIT])))
            malformed += 1
    return records, malformed
