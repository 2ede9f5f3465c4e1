"""What the records look like on the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.records import text
from pyloader.records.wire import U8, U16, U32, U64, Arguments, Comm, FileName, Padded, Path, Unsigned, Variable


@pytest.mark.parametrize(
    ("annotation", "encoding"),
    [
        (U8, Unsigned(1)),
        (U16, Unsigned(2)),
        (U32, Unsigned(4)),
        (U64, Unsigned(8)),
        (Comm, Padded(16)),
        (FileName, Variable(512)),
        (Path, Variable(1024)),
        (Arguments, Variable(4096)),
    ],
)
def test_width_of_annotations(annotation: object, encoding: object) -> None:
    """Each annotation carries the one encoding that it stands for."""
    assert (encoding,) == annotation.__metadata__  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", ""),
        (b"sh", "sh"),
        (b"sh\0\0\0", "sh"),
        (b"a\0b", "a"),
        ("naïve".encode(), "naïve"),
        (b"\xff\0", "\udcff"),
    ],
)
def test_text_of_kernel_bytes(raw: bytes, expected: str) -> None:
    """Kernel bytes become text up to the first NUL."""
    assert expected == text(raw)


@given(st.binary())
def test_text_loses_no_byte(raw: bytes) -> None:
    """Bytes that are no UTF-8 can be had back from the text."""
    assert raw.split(b"\0")[0] == text(raw).encode("utf-8", "surrogateescape")
