"""Write graphs of objects down.

The walk is breadth first over a list of what was found, so its depth is bounded however the objects are linked, and the
same graph gives the same bytes: attributes and dictionaries are written in their own order, and sets sorted, as far as
their members can be.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from operator import attrgetter
from typing import Any, Final, NamedTuple, NoReturn, TypeAlias

import msgspec

from pyloader.errors import StateError
from pyloader.state.classes import Classes, fields_of, is_named_tuple, slots_of
from pyloader.state.form import BROKEN_TEXT, BUILT_IN, LARGE_INTEGER, Kind
from pyloader.state.wiring import is_wiring

_PLAIN: Final = frozenset({type(None), bool, int, float, str, bytes})
_WIRING: Final = object()
_ARRAY_OF_3: Final = b"\x93"
_ARRAY_32: Final = b"\xdd"

Body: TypeAlias = list[Any]
"""A node as it is encoded: the number of its shape, and its values."""


class _Constant(NamedTuple):
    """Stands for an object that is named instead of saved."""

    name: str


def save(roots: Mapping[str, object], classes: Classes) -> bytes:
    """Return the graph of all objects that can be reached from the roots, which are named.

    Raises `StateError` if there is an object in it that cannot be saved; that is a mistake in the program.
    """
    return _Walk(classes).save(roots)


class _Walk:
    """One walk over a graph.

    `_found` has every object with what writes it and with the index of the one that led to it, and keeps all of them
    alive, so that no id is used twice.
    """

    def __init__(self, classes: Classes) -> None:
        self._classes = classes
        self._constants = classes.names_of_constants
        self._found: list[tuple[Callable[[Any], Body], object, int]] = []
        self._numbers: dict[int, int] = {}
        self._shapes: dict[tuple[str, ...], int] = {}
        self._writers: dict[type, Callable[[Any], Body]] = {_Constant: self._constant}
        self._at = -1

    def save(self, roots: Mapping[str, object]) -> bytes:
        encoder = msgspec.msgpack.Encoder()
        anchors = {name: self._number(root) for name, root in roots.items()}
        nodes = bytearray()
        # What a node refers to is appended while the list is walked.
        for at, (write, found, _) in enumerate(self._found):
            self._at = at
            body = write(found)
            begin = len(nodes)
            try:
                encoder.encode_into(body, nodes, begin)
            except (OverflowError, UnicodeEncodeError):
                encoder.encode_into(list(map(_encodable, body)), nodes, begin)
        head = _ARRAY_OF_3 + encoder.encode(list(self._shapes)) + encoder.encode(anchors)
        return head + _ARRAY_32 + len(self._found).to_bytes(4, "big") + nodes

    def _number(self, value: object) -> int:
        number = self._numbers.get(id(value))
        if number is None:
            name = self._constants.get(id(value))
            one = value if name is None else _Constant(name)
            writer = self._writers.get(type(one)) or self._learn(type(one))
            number = self._numbers[id(value)] = len(self._found)
            self._found.append((writer, one, self._at))
        return number

    def _values(self, values: Iterable[object]) -> Body:
        number = self._number
        return [one if type(one) in _PLAIN else [number(one)] for one in values]

    def _shape(self, *form: str) -> int:
        return self._shapes.setdefault(form, len(self._shapes))

    def _learn(self, cls: type) -> Callable[[Any], Body]:
        writer = self._writers[cls] = self._writer(cls)
        return writer

    def _writer(self, cls: type) -> Callable[[Any], Body]:
        """Return what writes the objects of a class."""
        kind = BUILT_IN.get(cls)
        if kind is not None:
            return self._of_built_in(kind)
        if issubclass(cls, type):
            return self._type
        name = self._classes.name(cls)
        if not name:
            self._refuse(cls)
        if issubclass(cls, Enum):
            return lambda one: [self._shape(Kind.ENUM, name), *self._values([one.value])]
        if issubclass(cls, msgspec.Struct):
            return self._of_struct(name, fields_of(cls))
        if is_named_tuple(cls):
            shape = self._shape(Kind.NAMED, name, *fields_of(cls))
            return lambda one: [shape, *self._values(one)]
        if issubclass(cls, tuple):
            self._refuse(cls)
        return self._of_object(name, cls)

    def _refuse(self, cls: type) -> NoReturn:
        message = f"an object of {cls.__module__}.{cls.__qualname__} cannot be saved"
        holders, at = [], self._at
        while at >= 0:
            _, holder, at = self._found[at]
            holders.append(type(holder).__qualname__)
        if holders:
            message += f"; it is held by {', in '.join(holders)}"
        raise StateError(message)

    def _type(self, one: type) -> Body:
        return [self._shape(Kind.TYPE), self._classes.name(one) or self._refuse(one)]

    def _constant(self, one: _Constant) -> Body:
        return [self._shape(Kind.CONSTANT), one.name]

    def _of_built_in(self, kind: Kind) -> Callable[[Any], Body]:
        shape, values = self._shape(kind), self._values
        if kind is Kind.ARRAY:
            return lambda one: [shape, one.typecode, one.tobytes()]
        if kind is Kind.BYTES:
            return lambda one: [shape, bytes(one)]
        if kind in (Kind.DICT, Kind.COUNTER):
            return lambda one: [shape, *values(member for pair in one.items() for member in pair)]
        if kind in (Kind.SET, Kind.FROZEN_SET):
            return lambda one: [shape, *values(_sorted(one))]
        if kind is Kind.DEQUE:
            return lambda one: [shape, one.maxlen, *values(one)]
        return lambda one: [shape, *values(one)]

    def _of_struct(self, name: str, fields: tuple[str, ...]) -> Callable[[Any], Body]:
        shape = self._shape(Kind.STRUCT, name, *fields)
        return lambda one: [shape, *self._values([getattr(one, field) for field in fields])]

    def _of_object(self, name: str, cls: type) -> Callable[[Any], Body]:
        slots = tuple(slots_of(cls))
        if cls.__dictoffset__:
            return lambda one: self._with_attributes(name, one, (*slots, *vars(one)))
        if len(slots) < 2:  # noqa: PLR2004 -- for a single name an attrgetter returns no tuple.
            return lambda one: self._with_attributes(name, one, slots)
        get, whole, attribute = attrgetter(*slots), self._shape(Kind.OBJECT, name, *slots), self._attribute

        def write(one: object) -> Body:
            try:
                values = get(one)
            except AttributeError:
                return self._with_attributes(name, one, slots)
            body = [member if type(member) in _PLAIN else attribute(member) for member in values]
            return self._with_attributes(name, one, slots) if _WIRING in body else [whole, *body]

        return write

    def _with_attributes(self, name: str, one: object, names: tuple[str, ...]) -> Body:
        """Return an object without its wiring, and with what is not set."""
        values = {key: self._attribute(getattr(one, key)) if hasattr(one, key) else [] for key in names}
        kept = {key: value for key, value in values.items() if value is not _WIRING}
        return [self._shape(Kind.OBJECT, name, *kept), *kept.values()]

    def _attribute(self, value: object) -> object:
        if type(value) in _PLAIN:
            return value
        number = self._numbers.get(id(value))
        if number is None and is_wiring(value, self._constants):
            return _WIRING
        return [self._number(value)]


def _sorted(members: Iterable[object]) -> list[object]:
    try:
        return sorted(members, key=_rank)
    except TypeError:
        return list(members)


def _rank(member: object) -> tuple[str, Any]:
    return type(member).__qualname__, member.value if isinstance(member, Enum) else member


def _encodable(value: object) -> object:
    """Return a value that MessagePack has, for one that it may not have."""
    if type(value) is int and not -(1 << 63) <= value < 1 << 64:
        return [LARGE_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)]
    if type(value) is str:
        try:
            value.encode()
        except UnicodeEncodeError:
            return [BROKEN_TEXT, value.encode("utf-8", "surrogatepass")]
    return value
