"""What joins objects to code. It is not state: whoever constructs the objects anew makes the same of it.

Functions and bound methods, classes of Python itself (which convert), compiled patterns, codecs, and the containers
that map something to them. A container is judged by its first member, a tuple by all of them.
"""

import functools
import operator
import re
import types
from collections import deque
from collections.abc import Container
from typing import Final

import msgspec

_KINDS: Final = frozenset(
    {
        types.FunctionType,
        types.MethodType,
        types.BuiltinMethodType,
        types.MethodDescriptorType,
        types.WrapperDescriptorType,
        types.MethodWrapperType,
        types.ClassMethodDescriptorType,
        functools.partial,
        operator.attrgetter,
        operator.itemgetter,
        re.Pattern,
        msgspec.json.Encoder,
        msgspec.json.Decoder,
        msgspec.msgpack.Encoder,
        msgspec.msgpack.Decoder,
    }
)
_CONVERTERS: Final = frozenset({bool, int, float, str, bytes, tuple, list, dict, set, frozenset})
_DEPTH: Final = 4
"""Maps of handlers are not nested deeper."""


def is_wiring(value: object, constants: Container[int], depth: int = _DEPTH) -> bool:
    """Return whether a value is wiring. `constants` are the ids of objects that are named instead, whatever they hold.

    >>> is_wiring({"length": len}, ()), is_wiring({"length": 3}, ())
    (True, False)
    """
    kind = type(value)
    if kind in _KINDS or (kind is type and value in _CONVERTERS):
        return True
    if not depth or id(value) in constants:
        return False
    if isinstance(value, tuple):
        return any(is_wiring(member, constants, depth - 1) for member in value)
    if isinstance(value, dict):
        first = next(iter(value.items()), None)
        return first is not None and is_wiring(first, constants, depth)
    if isinstance(value, list | set | frozenset | deque):
        return any(is_wiring(member, constants, depth - 1) for member in list(value)[:1])
    return False
