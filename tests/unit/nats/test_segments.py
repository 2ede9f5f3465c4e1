"""Files of the spool: what damage takes, and what it leaves."""

from hypothesis import given
from hypothesis import strategies as st

from pyloader.nats.segments import MARK, Entry, frame, read

# Bytes that mean something to the format are more than a match for it if they are frequent.
_data = st.binary(max_size=60) | st.lists(st.sampled_from([b"\xc1", b"\xc1\xc1", b"\0", b"x"])).map(b"".join)
_entries = st.lists(
    st.builds(
        Entry,
        kind=st.just("record"),
        time=st.integers(0, 2**63 - 1) | st.just(0xC1C1C1C1C1C1C1),
        subject=st.text(max_size=10),
        id=st.text(max_size=10),
        data=_data,
    ),
    min_size=1,
    max_size=8,
)


@given(_entries)
def test_round_trip(entries: list[Entry]) -> None:
    """What is written is read, whatever it holds, with the offsets of the ends."""
    frames = [frame(entry) for entry in entries]
    found = read(b"".join(frames), at_end=True)

    assert (found.entries, found.damaged) == (entries, 0)
    assert found.ends == [sum(map(len, frames[: number + 1])) for number in range(len(frames))]


@given(_entries)
def test_marks_stand_at_beginnings_only(entries: list[Entry]) -> None:
    """No entry holds a mark inside, so that nobody can write an entry into another."""
    assert [MARK in frame(entry)[2:] for entry in entries] == [False] * len(entries)
    assert not any(frame(entry).endswith(b"\xc1") for entry in entries)


@given(_entries, st.data())
def test_any_cut(entries: list[Entry], choice: st.DataObject) -> None:
    """A file that is cut off anywhere has lost what it lacks, and no more; a torn entry is counted.

    Without the last half of an escape nothing is lacking.
    """
    frames = [frame(entry) for entry in entries]
    data = b"".join(frames)
    cut = choice.draw(st.integers(0, len(data)))
    ends = [sum(map(len, frames[: number + 1])) for number in range(len(frames))]
    enough = [end - one.endswith(b"\xc1\0") for end, one in zip(ends, frames, strict=True)]
    whole = sum(end <= cut for end in enough)
    found = read(data[:cut], at_end=True)

    assert found.entries == entries[:whole]
    assert found.damaged == (cut not in (0, *ends, *enough))
    assert read(data[:cut], at_end=False).damaged == 0


@given(_entries, st.data())
def test_any_cut_goes_on(entries: list[Entry], choice: st.DataObject) -> None:
    """Wherever one reading stops, the next one finds all that is left, and neither takes anything for damage."""
    data = b"".join(map(frame, entries))
    cut = choice.draw(st.integers(0, len(data)))
    found = read(data[:cut], at_end=False)
    rest = read(data[found.ends[-1] if found.ends else 0 :], at_end=True)

    assert [*found.entries, *rest.entries] == entries
    assert found.damaged == rest.damaged == 0


@given(_entries, st.data())
def test_any_flip(entries: list[Entry], choice: st.DataObject) -> None:
    """A bit that is turned over costs the entry that it belongs to, which is counted, and no other."""
    frames = [frame(entry) for entry in entries]
    data = bytearray(b"".join(frames))
    bit = choice.draw(st.integers(0, 8 * len(data) - 1))
    data[bit // 8] ^= 1 << bit % 8
    ends = [sum(map(len, frames[: number + 1])) for number in range(len(frames))]
    hit = sum(end <= bit // 8 for end in ends)
    found = read(bytes(data), at_end=True)

    assert found.entries == entries[:hit] + entries[hit + 1 :]
    assert found.damaged > 0


@given(_entries, st.binary(max_size=30), st.data())
def test_foreign_bytes(entries: list[Entry], junk: bytes, choice: st.DataObject) -> None:
    """Foreign bytes between two entries, such as a page of zeros, hide neither of them."""
    at = choice.draw(st.integers(0, len(entries)))
    frames = [frame(entry) for entry in entries]
    found = read(b"".join([*frames[:at], b"\0" * len(junk), *frames[at:]]), at_end=True)

    assert found.entries == entries
    assert found.damaged == (1 if junk else 0)


@given(st.binary(max_size=200))
def test_anything(data: bytes) -> None:
    """Reading never fails, and what is no entry is not taken for one."""
    assert read(data, at_end=True).entries == []
