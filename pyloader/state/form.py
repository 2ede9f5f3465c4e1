"""The form of a saved graph: what stands in the MessagePack of it.

    [shapes, anchors, nodes]

A node is an object: `[shape, value, …]`. The number of its shape says what the values are; a shape is
`[kind, class, attribute, …]`, and the last two are only there where the kind asks for them. A value is a plain one, or
an array: `[number]` refers to a node, `[]` is an attribute that is not set, `[0, bytes]` is an integer of more than 64
bits, and `[1, bytes]` a text that is not valid Unicode. `anchors` are the numbers of the nodes from which a reader
begins, by name. So shared and circular references cost nothing, and no depth of nesting follows from that of the graph.
"""

from array import array
from collections import Counter, deque
from enum import StrEnum
from typing import Final

LARGE_INTEGER: Final = 0
BROKEN_TEXT: Final = 1


class Kind(StrEnum):
    """What a node is.

    The values of `OBJECT`, `STRUCT` and `NAMED` are those of the attributes, in order. `DICT` and `COUNTER` have keys
    and values in turn, and `DEQUE` has the greatest length before its members. `ENUM` has the value of the member,
    `TYPE` and `CONSTANT` a name, `ARRAY` its type code and its bytes, and `BYTES` its bytes.
    """

    OBJECT = "object"
    STRUCT = "struct"
    NAMED = "named"
    ENUM = "enum"
    TYPE = "type"
    CONSTANT = "constant"
    LIST = "list"
    TUPLE = "tuple"
    SET = "set"
    FROZEN_SET = "frozenset"
    DEQUE = "deque"
    DICT = "dict"
    COUNTER = "counter"
    ARRAY = "array"
    BYTES = "bytearray"


WITH_ATTRIBUTES: Final = frozenset({Kind.OBJECT, Kind.STRUCT, Kind.NAMED})
"""Kinds whose shape has a class and attributes; that of `ENUM` has a class only."""

BUILT_IN: Final[dict[type, Kind]] = {
    list: Kind.LIST,
    tuple: Kind.TUPLE,
    set: Kind.SET,
    frozenset: Kind.FROZEN_SET,
    deque: Kind.DEQUE,
    dict: Kind.DICT,
    Counter: Kind.COUNTER,
    array: Kind.ARRAY,
    bytearray: Kind.BYTES,
}
