"""The declarations in `vmlinux/vmlinux.h` fit the running kernel, as its own type description (BTF) tells it.

BTF is documented in Documentation/bpf/btf.rst and include/uapi/linux/btf.h of the kernel.
"""

import os
import re
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

HEADER = Path(__file__).resolve().parents[2] / "vmlinux" / "vmlinux.h"

INT, PTR, ARRAY, STRUCT, UNION, ENUM, FWD, TYPEDEF, VOLATILE, CONST, RESTRICT = range(1, 12)
FUNC, FUNC_PROTO, VAR, DATASEC, FLOAT, DECL_TAG, TYPE_TAG, ENUM64 = range(12, 20)
MODIFIERS = {TYPEDEF, VOLATILE, CONST, RESTRICT, TYPE_TAG}

FIXED_TAIL = {INT: 4, ARRAY: 12, VAR: 4, DECL_TAG: 4}
TAIL_PER_MEMBER = {STRUCT: 12, UNION: 12, ENUM: 8, FUNC_PROTO: 8, DATASEC: 12, ENUM64: 12}


class Type(NamedTuple):
    """One type of the kernel: `size_or_type` and `tail` mean what its kind says."""

    kind: int
    name: str
    parts: int
    bitfields: bool
    size_or_type: int
    tail: bytes


class Kernel:
    """The types of the running kernel."""

    def __init__(self, raw: bytes) -> None:
        magic, _, _, size, types, types_size, names, names_size = struct.unpack_from("<HBBIIIII", raw)
        assert magic == 0xEB9F
        self._names = raw[size + names : size + names + names_size]
        self.types = [Type(0, "void", 0, bitfields=False, size_or_type=0, tail=b"")]
        self.types += self._parse(raw[size + types : size + types + types_size])
        self.by_name = {(one.kind, one.name): number for number, one in enumerate(self.types) if one.name}

    def _parse(self, raw: bytes) -> Iterator[Type]:
        at = 0
        while at < len(raw):
            name, info, size_or_type = struct.unpack_from("<III", raw, at)
            kind, count = info >> 24 & 0x1F, info & 0xFFFF
            tail = FIXED_TAIL.get(kind, 0) + TAIL_PER_MEMBER.get(kind, 0) * count
            at += 12 + tail
            yield Type(kind, self._name(name), count, bool(info >> 31), size_or_type, raw[at - tail : at])

    def _name(self, offset: int) -> str:
        return self._names[offset : self._names.index(b"\0", offset)].decode()

    def bare(self, number: int) -> tuple[Type, set[str]]:
        """Return a type without typedefs and qualifiers, and the names that it has on the way there."""
        names = set()
        while (found := self.types[number]).kind in MODIFIERS:
            names.add(found.name)
            number = found.size_or_type
        return found, names | {found.name}

    def members(self, composite: Type) -> Iterator[tuple[str, int, int]]:
        """Yield name, type and width in bits (0 if it is no bit-field) of each member, unnamed parts included."""
        for name, number, offset in struct.iter_unpack("<III", composite.tail):
            if name:
                yield self._name(name), number, offset >> 24 if composite.bitfields else 0
            else:
                yield from self.members(self.bare(number)[0])

    def member(self, number: int, path: str) -> tuple[int, int]:
        """Return type and width of a member of a composite type, or of a part of it; type 0 if there is none."""
        bits = 0
        for name in path.split("."):
            found = {member: (of, width) for member, of, width in self.members(self.bare(number)[0])}
            number, bits = found.get(name, (0, 0))
        return number, bits

    def values(self, enumeration: Type) -> dict[str, int]:
        """Return the constants of an enumeration."""
        return {self._name(name): value for name, value in struct.iter_unpack("<Ii", enumeration.tail)}


@cache
def kernel() -> Kernel:
    """Return the types of the running kernel, read once."""
    return Kernel(Path("/sys/kernel/btf/vmlinux").read_bytes())


class Field(NamedTuple):
    """A field as the header declares it; `length` is that of an array, or `None`."""

    type: str
    pointers: int
    name: str
    length: int | None


def _without_nesting(text: str) -> str:
    """Return declarations in which a part of a record stands as fields of the record, with paths for names."""
    part = re.compile(r"(?<!typedef )(?:struct|union) \{([^{}]*)\} (\w+);")
    while nested := part.search(text):
        fields = re.sub(r"([\w.]+)(?=(?:\[\w+\])?[,;])", rf"{nested[2]}.\1", nested[1])
        text = text[: nested.start()] + fields + text[nested.end() :]
    return text


_MACHINE = {"x86_64": "x86", "aarch64": "arm64"}[os.uname().machine]
_TEXT = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.DOTALL)
# Of what is declared for one machine only, the part for this one.
_TEXT = re.sub(
    r"#if defined\(__TARGET_ARCH_(\w+)\)\n(.*?)#elif defined\(__TARGET_ARCH_\w+\)\n(.*?)#endif",
    lambda parts: parts[2] if parts[1] == _MACHINE else parts[3],
    _TEXT,
    flags=re.DOTALL,
)
_TEXT = _without_nesting(_TEXT)
_RECORD = re.compile(r"^(?:struct (\w+) \{([^{}]*)\};|typedef struct \{([^{}]*)\} (\w+);)", re.MULTILINE)
_FIELD = re.compile(r"^(?:const )?((?:struct |enum |unsigned |signed |long )*\w+) (.+)$")
_DECLARATOR = re.compile(r"^(\**)([\w.]+)(?:\[(\w+)\])?$")
_SIZES = {"char": 1, "short": 2, "int": 4, "long": 8, "long long": 8, "_Bool": 1}


def _constants(body: str) -> dict[str, int]:
    """Return the constants of an enumeration in the header."""
    values: dict[str, int] = {}
    following = 0
    for name, value in re.findall(r"(\w+)(?: = (\w+))?,?", body):
        values[name] = int(value.rstrip("UL"), 0) if value else following
        following = values[name] + 1
    return values


_ENUMERATION = re.compile(r"^enum (\w*) ?\{([^{}]*)\};", re.MULTILINE)
ENUMERATIONS = {name: _constants(body) for name, body in _ENUMERATION.findall(_TEXT) if name}
_LENGTHS = {name: value for _, body in _ENUMERATION.findall(_TEXT) for name, value in _constants(body).items()}
SCALARS = {name: plain for plain, name in re.findall(r"^typedef ((?:\w+ )*\w+) (\w+);", _TEXT, re.MULTILINE)}


def _fields(body: str) -> Iterator[Field]:
    for declaration in filter(None, (" ".join(line.split()) for line in body.split(";"))):
        matched = _FIELD.match(declaration)
        assert matched is not None, f"this test does not understand {declaration!r}"
        for declarator in matched[2].split(", "):
            parts = _DECLARATOR.match(declarator)
            assert parts is not None, f"this test does not understand {declaration!r}"
            yield Field(matched[1], len(parts[1]), parts[2], _length(parts[3]))


def _length(text: str | None) -> int | None:
    return None if text is None else _LENGTHS[text] if text in _LENGTHS else int(text)


ALL_RECORDS = {
    name or alias: (TYPEDEF if alias else STRUCT, list(_fields(body or alias_body)))
    for name, body, alias_body, alias in _RECORD.findall(_TEXT)
}

OF_OTHER_KERNELS = {name for name in ALL_RECORDS if "___" in name} | {"mm_rss_stat"}
"""How records were on older kernels, under names that CO-RE cuts at the underscores, and what only those hold."""

RECORDS = {name: record for name, record in ALL_RECORDS.items() if name not in OF_OTHER_KERNELS}


def _size(scalar: str) -> int:
    """Return the size in bytes of a scalar type of the header."""
    plain = scalar
    while plain in SCALARS:
        plain = SCALARS[plain]
    words = [word for word in plain.split() if word not in {"unsigned", "signed"}] or ["int"]
    return _SIZES[" ".join(words)]


def _mismatch(declared: Field, number: int) -> str:
    """Return how a field differs from the kernel's type, or an empty string if a program can read it as declared."""
    if declared.length is not None:
        return _array_mismatch(declared, declared.length, number)
    return _pointer_mismatch(declared, number) if declared.pointers else _value_mismatch(declared.type, number)


def _array_mismatch(declared: Field, declared_length: int, number: int) -> str:
    actual, _ = kernel().bare(number)
    if actual.kind != ARRAY:
        return "is no array"
    element, _, length = struct.unpack("<III", actual.tail)
    if 0 < length < declared_length:
        return f"has {length} elements"
    return _mismatch(declared._replace(length=None), element)


def _pointer_mismatch(declared: Field, number: int) -> str:
    actual, _ = kernel().bare(number)
    if actual.kind != PTR:
        return "is no pointer"
    return (
        _value_mismatch(declared.type, actual.size_or_type)
        if declared.pointers == 1 and declared.type.startswith("struct ")
        else ""
    )


def _value_mismatch(declared: str, number: int) -> str:
    actual, names = kernel().bare(number)
    name = declared.removeprefix("struct ")
    if name in RECORDS or name != declared:
        return "" if name in names else f"is of type {' '.join(sorted(names))}"
    if actual.kind not in {INT, ENUM}:
        return "is no number"
    return "" if _size(declared) == actual.size_or_type else f"has {actual.size_or_type} bytes"


def test_every_record_is_understood() -> None:
    """This test sees every record of the header, so that none escapes it."""
    assert len(re.findall(r"^(?:typedef )?struct\b[^;]*\{", _TEXT, re.MULTILINE)) == len(ALL_RECORDS)
    assert sum(len(fields) for _, fields in ALL_RECORDS.values()) > len(ALL_RECORDS)


@pytest.mark.parametrize("name", RECORDS)
def test_fields_exist(name: str) -> None:
    """The kernel has every field that is declared, of a kind and size that a program can read as declared."""
    kind, fields = RECORDS[name]
    number = kernel().by_name.get((kind, name))
    assert number is not None, f"this kernel has no {name}"
    wrong = {}
    for declared in fields:
        of, bits = kernel().member(number, declared.name)
        mismatch = "does not exist" if not of else "is a bit-field" if bits else _mismatch(declared, of)
        if mismatch:
            wrong[declared.name] = mismatch

    assert wrong == {}


@pytest.mark.parametrize("name", ENUMERATIONS)
def test_constants_have_their_values(name: str) -> None:
    """Constants are compiled into the programs: those that are declared have the kernel's values."""
    number = kernel().by_name[ENUM, name]
    actual = kernel().values(kernel().types[number])

    assert {constant: actual.get(constant) for constant in ENUMERATIONS[name]} == ENUMERATIONS[name]
