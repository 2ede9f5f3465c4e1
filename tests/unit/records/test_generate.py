"""The C side of the records, and that both sides agree."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.records import KERNEL_RECORDS, TAG_LIMIT, VITAL_RECORDS, AnyRecord, Record, event_name, tag_of
from pyloader.records.generate import encoding, header
from pyloader.records.wire import U16, U32, Arguments, Padded, Unsigned, Variable
from tests.unit.strategies import kernel_records

Encoding = Unsigned | Padded | Variable
Writer = Callable[[list[Record]], bytes]


def _encodings(kind: type[Record]) -> dict[str, Encoding]:
    """Return how each field of a record is written, in order."""
    hints = get_type_hints(kind, include_extras=True)
    return {name: encoding(hints[name]) for name in kind.__struct_fields__}


@pytest.mark.parametrize("kind", KERNEL_RECORDS)
def test_fixed_fields_stand_first(kind: type[Record]) -> None:
    """In every record of the kernel no field of fixed width follows one of variable width."""
    variable = [isinstance(one, Variable) for one in _encodings(kind).values()]

    assert sorted(variable) == variable


def test_header_is_up_to_date(root: Path) -> None:
    """The committed header is what the record types say."""
    assert header() == (root / "bpf" / "records.bpf.h").read_text()


@pytest.mark.parametrize("annotation", [int, bytes, str, Annotated[int, "wide"], list[int]])
def test_field_without_width(annotation: object) -> None:
    """A field whose width is not declared is refused by name."""
    with pytest.raises(TypeError, match="has no wire encoding"):
        encoding(annotation)


class _Misordered(Record, frozen=True, tag=9):
    args: Arguments
    pid: U32


class _Wide(Record, frozen=True, tag=9):
    port: U16
    name: str


@pytest.mark.parametrize(
    ("kind", "message"), [(_Misordered, "variable fields must stand last"), (_Wide, "has no wire encoding")]
)
def test_record_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, kind: type[Record], message: str) -> None:
    """The generator refuses a record type that no kernel program could write."""
    monkeypatch.setattr("pyloader.records.generate.KERNEL_RECORDS", (kind,))

    with pytest.raises(TypeError, match=message):
        header()


_PROGRAM = """\
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
typedef uint8_t __u8;
typedef uint16_t __u16;
typedef uint32_t __u32;
typedef uint64_t __u64;
#include "records.bpf.h"

_Static_assert(TAG_LIMIT == %(limit)d, "TAG_LIMIT");

static __u8 out[16384];
static __u8 *at;

static void take(void *to, size_t size)
{
	if (size && fread(to, size, 1, stdin) != 1)
		exit(1);
}

static void append(size_t limit)
{
	__u16 size;

	take(&size, sizeof(size));
	if (size > limit)
		exit(2);
	put_bin16_head(at, size);
	take(at + BIN16_HEAD, size);
	at += BIN16_HEAD + size;
}

int main(void)
{
	int tag;

	while ((tag = getchar()) != EOF) {
		at = out;
		switch (tag) {
%(cases)s
		default:
			return 3;
		}
		fwrite(out, at - out, 1, stdout);
	}
	return 0;
}
"""


def _case(kind: type[Record]) -> str:
    """Return C that fills the struct of a record from standard input and writes it, and checks its ring."""
    name = event_name(kind)
    lines = [f"case {name.upper()}: {{", f"struct {name} record;"]
    lines.append(f'_Static_assert(is_vital({name.upper()}) == {int(kind in VITAL_RECORDS)}, "is_vital");')
    for field, one in _encodings(kind).items():
        match one:
            case Variable(limit):
                lines.append(f"append({name.upper()}_{field.upper()}_LIMIT);")
                lines.append(f'_Static_assert({name.upper()}_{field.upper()}_LIMIT == {limit}, "{field}");')
            case _:
                lines.append(f"take(&record.{field}, sizeof(record.{field}));")
    last_fixed = max(at for at, line in enumerate(lines) if line.startswith("take"))
    lines[last_fixed + 1 : last_fixed + 1] = [f"put_{name}(at, &record);", f"at += {name.upper()}_FIXED;"]
    return "\n".join([*lines, "break;", "}"])


def _given(record: Record) -> bytes:
    """Return the values of a record as the C program takes them."""
    parts = [bytes([tag_of(type(record))])]
    for field, one in _encodings(type(record)).items():
        value: Any = getattr(record, field)
        match one:
            case Unsigned(width):
                parts.append(value.to_bytes(width, "little"))
            case Padded():
                parts.append(value)
            case Variable():
                parts.append(len(value).to_bytes(2, "little") + value)
    return b"".join(parts)


@pytest.fixture(name="write", scope="module")
def _write(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Writer:
    """Compile the header's functions for this machine; return a function that writes records with them."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.fail("this test compiles the generated header: install gcc")
    folder = tmp_path_factory.mktemp("contract")
    source, program = folder / "contract.c", folder / "contract"
    cases = "\n".join(map(_case, KERNEL_RECORDS))
    source.write_text(_PROGRAM % {"limit": TAG_LIMIT, "cases": cases})
    subprocess.run([compiler, "-O2", "-Wall", "-Werror", "-I", root / "bpf", "-o", program, source], check=True)

    def write(records: list[Record]) -> bytes:
        given = b"".join(map(_given, records))
        return subprocess.run([program], input=given, stdout=subprocess.PIPE, check=True).stdout

    return write


@given(records=st.lists(kernel_records, min_size=1, max_size=8))
def test_both_sides_agree(write: Writer, records: list[Record]) -> None:
    """What the C functions write is decoded into the record that they were given, for every type and value."""
    batch = b"\xdd" + len(records).to_bytes(4, "big") + write(records)

    assert records == msgspec.msgpack.decode(batch, type=list[AnyRecord])


@pytest.mark.parametrize("kind", KERNEL_RECORDS)
def test_fixed_part_has_a_constant_width(write: Writer, kind: type[Record]) -> None:
    """The smallest and the largest values of the fixed fields take the same room."""
    widths = set()
    for bits in (0, -1):
        values: dict[str, Any] = {}
        for field, one in _encodings(kind).items():
            match one:
                case Unsigned(width):
                    values[field] = bits & (1 << 8 * width) - 1
                case Padded(size):
                    values[field] = bytes([bits & 0xFF]) * size
                case Variable():
                    values[field] = b""
        widths.add(len(write([kind(**values)])))

    assert len(widths) == 1
