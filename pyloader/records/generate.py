"""Write the C side of the records: `python -m pyloader.records.generate > bpf/records.bpf.h`.

Each record type gives the kernel programs a plain struct to fill and one inline function that writes it as
MessagePack with stores at constant offsets. The header is committed; the check writes it again and fails on a
difference.
"""

import sys
from collections.abc import Iterator
from enum import IntEnum, IntFlag
from typing import get_type_hints

from pyloader.records import KERNEL_RECORDS, TAG_LIMIT, VITAL_RECORDS, event_name, tag_of
from pyloader.records.connection import Direction, Outcome
from pyloader.records.memory import (
    AccessMethod,
    Area,
    Call,
    Exposure,
    Facility,
    OomScope,
    Protection,
    Suspicion,
    Technique,
    UsageReason,
)
from pyloader.records.network import (
    AMPLIFIERS,
    DISPERSION_BINS,
    PULSE_SHIFT,
    PULSE_WINDOWS,
    TRAFFIC_LIMIT,
    Anomaly,
    Counter,
    Doubled,
    PacketFlag,
    Policy,
    Traffic,
    Tunnel,
)
from pyloader.records.process import ExecFlag, Explanation, Stdio
from pyloader.records.wire import Padded, Record, Unsigned, Variable

_HEAD = """\
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Written by `python -m pyloader.records.generate` from the types in pyloader/records/. Do not edit.
 *
 * put_NAME() writes the part of a record that has a fixed width, NAME_FIXED bytes. The variable fields follow in the
 * order that the comment above it gives; the program appends them with put_bin16_head() and the bytes.
 */
#ifndef PYLOADER_RECORDS_BPF_H
#define PYLOADER_RECORDS_BPF_H

#include "msgpack.bpf.h"
"""

_ENUMERATIONS: tuple[tuple[type[IntEnum | IntFlag], str], ...] = (
    (ExecFlag, "EXEC"),
    (Stdio, "STDIO"),
    (Explanation, "EXPLAINED_BY"),
    (Protection, "PROTECTION"),
    (Area, "AREA"),
    (Technique, "TECHNIQUE"),
    (Exposure, "EXPOSURE"),
    (AccessMethod, "ACCESS"),
    (Facility, "FACILITY"),
    (Call, "CALL"),
    (Suspicion, "SUSPICION"),
    (UsageReason, "USAGE"),
    (OomScope, "OOM"),
    (Direction, "DIRECTION"),
    (Outcome, "OUTCOME"),
    (Anomaly, "ANOMALY"),
    (Traffic, "TRAFFIC"),
    (Counter, "COUNTER"),
    (Doubled, "DOUBLED"),
    (Policy, "POLICY"),
    (Tunnel, "TUNNEL"),
    (PacketFlag, "PACKET"),
)


def encoding(annotation: object) -> Unsigned | Padded | Variable:
    """Return how a field is written, from its annotation in `pyloader.records.wire`.

    Raises `TypeError` for a field that has no width: it could not be written by a kernel program.
    """
    for mark in getattr(annotation, "__metadata__", ()):
        if isinstance(mark, Unsigned | Padded | Variable):
            return mark
    message = f"field type {annotation!r} has no wire encoding; use one of pyloader.records.wire"
    raise TypeError(message)


def header() -> str:
    """Return the text of `bpf/records.bpf.h`."""
    parts = [_HEAD, f"#define TAG_LIMIT {TAG_LIMIT}\n", _vital()]
    parts += [_enumeration(kind, prefix) for kind, prefix in _ENUMERATIONS]
    parts.append(_network())
    parts += [_record(kind) for kind in KERNEL_RECORDS]
    parts.append("#endif\n")
    return "\n".join(parts)


def _vital() -> str:
    tests = " || ".join(f"tag == {event_name(kind).upper()}" for kind in VITAL_RECORDS)
    return (
        "/* Rare and valuable records, which have a ring of their own. */\n"
        f"#define is_vital(tag) ({tests.replace('tag ==', '(tag) ==')})\n"
    )


def _network() -> str:
    sizes = {
        "TRAFFIC_LIMIT": TRAFFIC_LIMIT,
        "DISPERSION_BINS": DISPERSION_BINS,
        "PULSE_WINDOWS": PULSE_WINDOWS,
        "PULSE_SHIFT": PULSE_SHIFT,
        "POLICY_LIMIT": len(Policy),
    }
    cases = "".join(f"\tcase {port}: \\\n\t\treturn TRAFFIC_{kind.name}; \\\n" for kind, port in AMPLIFIERS.items())
    return (
        "".join(f"#define {name} {value}\n" for name, value in sizes.items())
        + "\n/* The cases of a switch over UDP source ports. */\n#define AMPLIFIER_CASES \\\n"
        + cases
    )


def _enumeration(kind: type[IntEnum | IntFlag], prefix: str) -> str:
    rows = "".join(f"\t{prefix}_{member.name} = {int(member)},\n" for member in kind)
    return f"enum {event_name(kind)} {{\n{rows}}};\n"


def _record(kind: type[Record]) -> str:
    name = event_name(kind)
    fields = {
        field: encoding(annotation)
        for field, annotation in get_type_hints(kind, include_extras=True).items()
        if field in kind.__struct_fields__
    }
    fixed = {field: kind for field, kind in fields.items() if not isinstance(kind, Variable)}
    variable = [field for field, kind in fields.items() if isinstance(kind, Variable)]
    if list(fields) != [*fixed, *variable]:
        message = f"{kind.__name__}: variable fields must stand last"
        raise TypeError(message)
    declarations = "".join(f"\t{_declaration(field, kind)};\n" for field, kind in fixed.items())
    stores = list(_stores(tag_of(kind), len(fields) + 1, fixed))
    size = stores.pop()
    limits = "".join(
        f"#define {name.upper()}_{field.upper()}_LIMIT {kind.limit}\n"
        for field, kind in fields.items()
        if isinstance(kind, Variable)
    )
    follow = f"Variable fields: {', '.join(variable)}." if variable else "No variable fields."
    return (
        f"#define {name.upper()} {tag_of(kind)}\n#define {name.upper()}_FIXED {size}\n{limits}\n"
        f"struct {name} {{\n{declarations}}};\n\n"
        f"/* {follow} */\n"
        f"static __always_inline void put_{name}(__u8 *at, const struct {name} *record)\n{{\n"
        + "".join(f"\t{store}\n" for store in stores)
        + "}\n"
    )


def _declaration(field: str, kind: Unsigned | Padded) -> str:
    return f"__u{kind.width * 8} {field}" if isinstance(kind, Unsigned) else f"char {field}[{kind.size}]"


def _stores(tag: int, elements: int, fields: dict[str, Unsigned | Padded]) -> Iterator[str]:
    """Yield one C statement per field, then the size in bytes."""
    yield f"put_array16(at, {elements});"
    at = 3
    yield f"put_u8(at + {at}, {tag});"
    at += 2
    for field, kind in fields.items():
        if isinstance(kind, Unsigned):
            yield f"put_u{kind.width * 8}(at + {at}, record->{field});"
            at += 1 + kind.width
        else:
            yield f"put_bin8(at + {at}, record->{field}, {kind.size});"
            at += 2 + kind.size
    yield str(at)


if __name__ == "__main__":
    sys.stdout.write(header())
