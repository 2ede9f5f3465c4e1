"""Recordings give back what was recorded, and damage is found where it lies."""

import os
import stat
from collections.abc import Iterator
from io import BytesIO
from itertools import accumulate
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.errors import RecordingError
from pyloader.records import AnyRecord
from pyloader.records.codec import encode
from pyloader.records.recording import FORMAT_VERSION, RECORD_LIMIT, Header, RecordingReader, RecordingWriter
from tests.unit.examples import HEADER, NESTED, exec_record, exit_record, fork_record, loss_record, recording
from tests.unit.strategies import any_records

RECORDS: list[AnyRecord] = [exec_record(), fork_record(), loss_record(), exit_record()]
SMALL = recording(*RECORDS)
HEADER_SIZE = len(msgspec.msgpack.encode(HEADER))
ENDS = [HEADER_SIZE, *accumulate((len(encode(record)) for record in RECORDS), initial=HEADER_SIZE)][1:]
"""Where the header and each record of the small recording end."""


def _read(data: bytes) -> tuple[list[AnyRecord], RecordingError | None]:
    """Return what can be read of a recording, and the error that ended it."""
    records: list[AnyRecord] = []
    try:
        for batch in RecordingReader(BytesIO(data), "x.rec").batches():
            records += batch
    except RecordingError as error:
        return records, error
    return records, None


def _write(path: Path, *chunks: bytes) -> None:
    """Write a recording as the sensor does."""
    writer = RecordingWriter(path, HEADER)
    try:
        for chunk in chunks:
            writer.write(chunk)
    finally:
        writer.close()


@pytest.fixture(name="reader")
def _reader(tmp_path: Path) -> Iterator[RecordingReader]:
    """Open the small recording from a file."""
    path = tmp_path / "small.rec"
    _write(path, *map(encode, RECORDS))
    reader = RecordingReader.open(path)
    yield reader
    reader.close()


def test_what_is_written_is_read(reader: RecordingReader) -> None:
    """A file gives back its header and its records in order."""
    assert reader.header == HEADER
    assert [record for batch in reader.batches() for record in batch] == RECORDS


@given(st.lists(any_records, max_size=8))
def test_every_record_can_be_recorded(records: list[AnyRecord]) -> None:
    """Any sequence of records is read back unchanged."""
    assert (records, None) == _read(recording(*records))


def test_recording_of_many_chunks() -> None:
    """Records that lie across the borders of what is read at once are whole."""
    records = [exec_record(pid=pid, args=bytes(4096)) for pid in range(600)]

    assert (records, None) == _read(recording(*records))


def test_damage_behind_many_chunks() -> None:
    """The place of the damage is counted from the beginning of the file, however long that is."""
    whole = recording(*(exec_record(pid=pid, args=bytes(4096)) for pid in range(600)))
    records, error = _read(whole + b"\xc1")

    assert len(records) == 600
    assert error is not None
    assert len(whole) == error.offset


def test_header_of_this_host() -> None:
    """The header of a new run names this boot and this version of the format."""
    header = Header.of_this_host()

    assert header.version == FORMAT_VERSION
    assert Path("/proc/sys/kernel/random/boot_id").read_text().strip() == header.boot_id
    assert os.uname().release == header.kernel
    assert os.uname().machine == header.machine
    assert header.realtime_offset > 0


def test_first_bytes_say_what_it_is() -> None:
    """A recording begins with an array whose first element is the name of the format."""
    assert msgspec.msgpack.decode(SMALL[:HEADER_SIZE])[:2] == ["pyloader", 1]


@pytest.mark.parametrize("existing", [False, True])
def test_only_the_owner_may_read_it(tmp_path: Path, *, existing: bool) -> None:
    """The file is for its owner only, even if it was there before with wider rights."""
    path = tmp_path / "private.rec"
    if existing:
        path.touch()
        path.chmod(0o644)
    _write(path)

    assert oct(stat.S_IMODE(path.stat().st_mode)) == oct(0o600)


def test_new_recording_replaces_the_old(tmp_path: Path) -> None:
    """Nothing of an older recording stays in the file."""
    path = tmp_path / "twice.rec"
    _write(path, encode(exec_record()))
    _write(path)

    assert msgspec.msgpack.encode(HEADER) == path.read_bytes()


def test_cut_off_at_every_byte() -> None:
    """A recording that was cut off gives exactly the records before the cut, then says where the damage begins."""
    for size in range(HEADER_SIZE, len(SMALL) + 1):
        whole = [end for end in ENDS if end <= size]

        records, error = _read(SMALL[:size])

        assert RECORDS[: len(whole) - 1] == records
        if size == whole[-1]:
            assert error is None
        else:
            assert error is not None
            assert whole[-1] == error.offset
            assert f"x.rec is damaged at byte {whole[-1]}: the file ends inside a record" == str(error)


def test_cut_off_in_the_header() -> None:
    """What ends inside the header is not taken for a recording; an empty file is the smallest of these."""
    for size in range(HEADER_SIZE):
        with pytest.raises(RecordingError, match=r"^x\.rec is not a pyloader recording$"):
            RecordingReader(BytesIO(SMALL[:size]), "x.rec")


@pytest.mark.parametrize("flip", [0x01, 0x10, 0x80, 0xFF])
def test_corrupted_byte(flip: int) -> None:
    """Whichever byte is corrupted, the records before it come through, and only a `RecordingError` can follow."""
    for position in range(len(SMALL)):
        damaged = bytearray(SMALL)
        damaged[position] ^= flip
        untouched = max(sum(end <= position for end in ENDS) - 1, 0)

        records, _ = _read(bytes(damaged))

        assert RECORDS[:untouched] == records[:untouched]


@given(st.binary(max_size=400))
def test_noise_behind_the_header(noise: bytes) -> None:
    """Whatever follows the header is read as records or refused at a place inside the file."""
    _, error = _read(recording() + noise)

    assert error is None or HEADER_SIZE <= error.offset <= HEADER_SIZE + len(noise)


@given(st.binary(max_size=400))
def test_noise_is_no_recording(noise: bytes) -> None:
    """Bytes without the header are no recording."""
    with pytest.raises(RecordingError, match="is not a pyloader recording"):
        RecordingReader(BytesIO(noise), "x.rec")


def test_hostname_that_is_no_text() -> None:
    """A header whose text is no UTF-8 is damage like any other."""
    with pytest.raises(RecordingError, match="is not a pyloader recording"):
        RecordingReader(BytesIO(SMALL.replace(b"\xa4host", b"\xa4\xff\xfe\xfd\xfc", 1)), "x.rec")


def test_nested_record() -> None:
    """A record that is nested deeper than any decoder can go is damage at its place."""
    records, error = _read(recording(exec_record()) + NESTED)

    assert [exec_record()] == records
    assert error is not None
    assert error.offset == len(recording(exec_record()))


def test_other_version() -> None:
    """A recording of another format says which one it has and which is understood."""
    newer = msgspec.structs.replace(HEADER, version=2)

    with pytest.raises(RecordingError, match="has format 2; this version reads format 1"):
        RecordingReader(BytesIO(recording(header=newer)), "x.rec")


def test_record_longer_than_any() -> None:
    """A claim to be longer than any record is damage, even if the file is that long."""
    records, error = _read(SMALL + b"\xc6\x7f\xff\xff\xff" + bytes(RECORD_LIMIT + 1))

    assert records == RECORDS
    assert error is not None
    assert len(SMALL) == error.offset
    assert "longer than any record" in str(error)


def test_value_that_is_no_record() -> None:
    """A value of another kind between the records is damage at its place."""
    records, error = _read(SMALL + msgspec.msgpack.encode({"a": 1}) + encode(exec_record()))

    assert records == RECORDS
    assert error is not None
    assert len(SMALL) == error.offset


@pytest.mark.parametrize(("name", "reason"), [("missing.rec", "No such file"), (".", "Is a directory")])
def test_unreadable_path(tmp_path: Path, name: str, reason: str) -> None:
    """A file that cannot be opened is named together with the reason."""
    with pytest.raises(RecordingError, match=f"cannot read the recording .*{reason}"):
        RecordingReader.open(tmp_path / name)


def test_file_that_fails_while_it_is_read() -> None:
    """An error of the disk is a `RecordingError`, too; /proc/self/mem opens and then fails."""
    with pytest.raises(RecordingError, match="cannot read the recording"):
        RecordingReader.open(Path("/proc/self/mem"))


@pytest.mark.parametrize(("name", "reason"), [("missing/x.rec", "No such file"), (".", "Is a directory")])
def test_unwritable_path(tmp_path: Path, name: str, reason: str) -> None:
    """A file that cannot be made is named together with the reason."""
    with pytest.raises(RecordingError, match=f"cannot write the recording .*{reason}"):
        RecordingWriter(tmp_path / name, HEADER)


def test_disk_full() -> None:
    """A full disk ends the recording at once, with the reason."""
    with pytest.raises(RecordingError, match="No space left on device; it is cut off there"):
        RecordingWriter(Path("/dev/full"), HEADER)


def test_what_is_written_is_in_the_file(tmp_path: Path) -> None:
    """A reader finds what was written while the writer is still at work, as after a kill."""
    path = tmp_path / "run.rec"
    writer = RecordingWriter(path, HEADER)
    before = path.stat().st_size
    writer.write(b"\x92\x01\x02")

    assert path.stat().st_size == before + 3
    writer.close()
