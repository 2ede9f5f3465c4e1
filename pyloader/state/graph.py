"""Read the bytes of a graph back into nodes, and check what can be checked before any object is made."""

from collections.abc import Iterator
from enum import Enum
from typing import Any, Final, TypeAlias

import msgspec

from pyloader.errors import StateError
from pyloader.state.classes import Classes, defaults_of, fields_of, is_named_tuple, settings_of, slots_of
from pyloader.state.form import BROKEN_TEXT, BUILT_IN, LARGE_INTEGER, WITH_ATTRIBUTES, Kind

UNSET: Final = object()
"""The value of an attribute that was not set."""

_CLASS_OF: Final = {kind: cls for cls, kind in BUILT_IN.items()}
_PAIRS: Final = frozenset({Kind.DICT, Kind.COUNTER})
_MUTABLE: Final = frozenset({Kind.OBJECT, Kind.LIST, Kind.SET, Kind.DEQUE, *_PAIRS})
_ONE_VALUE: Final = frozenset({Kind.ENUM, Kind.TYPE, Kind.CONSTANT, Kind.BYTES})

Body: TypeAlias = list[Any]
"""The values of a node: plain ones, `UNSET`, or `[number]` for another node."""


class Form:
    """A shape, and what it means in this version.

    `cls` is `None` if this version has no such class. `names` are the attributes that were saved, `expected` those that
    every object of the class has, as far as that is known, `optional` those of them that an object can do without, and
    `missing` the others that were not saved. `mutable` is whether an object can be made first and filled later.
    """

    __slots__ = ("cls", "defaults", "expected", "kind", "missing", "mutable", "name", "names", "optional", "settings")

    def __init__(self, shape: list[str], classes: Classes) -> None:
        self.kind = Kind(shape[0])
        self.mutable = self.kind in _MUTABLE
        self.cls: type | None = _CLASS_OF.get(self.kind)
        self.name, self.names = "", tuple(shape[2:])
        self.expected: tuple[str, ...] = ()
        self.settings = self.optional = frozenset[str]()
        self.defaults: dict[str, Any] = {}
        if self.kind in WITH_ATTRIBUTES or self.kind is Kind.ENUM:
            self.name = shape[1]
            self.cls = cls = classes.find(self.name)
            if cls is not None:
                self._know(cls)
        self.missing: list[str] = sorted(set(self.expected) - set(self.names) - self.optional)

    def _know(self, cls: type) -> None:
        struct = cls if issubclass(cls, msgspec.Struct) else None
        kind = Kind.ENUM if issubclass(cls, Enum) else Kind.STRUCT if struct else Kind.OBJECT
        if (Kind.NAMED if is_named_tuple(cls) else kind) is not self.kind or not all(map(_is_attribute, self.names)):
            message = f"the snapshot is damaged: it describes {self.name} as what it cannot be"
            raise StateError(message)
        self.settings, self.defaults = settings_of(cls), defaults_of(cls)
        self.optional = frozenset(self.defaults)
        self.expected = tuple(slots_of(cls)) if kind is Kind.OBJECT else ()
        if struct is not None:
            self.mutable = not struct.__struct_config__.frozen
            self.optional = frozenset(field.name for field in msgspec.structs.fields(struct) if not field.required)
        if struct is not None or self.kind is Kind.NAMED:
            self.expected = fields_of(cls)


class Graph:
    """The nodes of a snapshot: of each its form and its values, by its number."""

    def __init__(self, data: bytes, classes: Classes) -> None:
        shapes, self.anchors, nodes = _DECODER.decode(data)
        forms = [Form(shape, classes) for shape in shapes]
        self.forms: list[Form] = []
        self.bodies: list[Body] = []
        self._texts: dict[str, str] = {}
        for number in self.anchors.values():
            _check(0 <= number < len(nodes))
        for node in nodes:
            shape, *body = node
            _check(type(shape) is int and 0 <= shape < len(forms))
            form = forms[shape]
            self._read(body, len(nodes))
            _check(_fits(form, body))
            self.forms.append(form)
            self.bodies.append(body)

    def _read(self, body: Body, nodes: int) -> None:
        """Take the values of a node out of their encoding; equal texts become one object."""
        texts = self._texts
        for index, value in enumerate(body):
            kind = type(value)
            if kind is str:
                body[index] = texts.setdefault(value, value)
            elif kind is list:
                if len(value) == 1:
                    _check(type(value[0]) is int and 0 <= value[0] < nodes)
                else:
                    body[index] = _special(value)
            else:
                _check(kind is not dict)

    def references(self, number: int) -> Iterator[int]:
        """Yield the numbers of the nodes that a node refers to."""
        return (value[0] for value in self.bodies[number] if type(value) is list)


_DECODER: Final = msgspec.msgpack.Decoder(tuple[list[list[str]], dict[str, int], list[list[Any]]])


def _fits(form: Form, body: Body) -> bool:
    """Return whether a form can have so many values, and of such kinds."""
    if form.kind in WITH_ATTRIBUTES:
        return len(body) == len(form.names) and (form.kind is Kind.OBJECT or UNSET not in body)
    if UNSET in body:
        return False
    if form.kind in _PAIRS:
        return len(body) % 2 == 0
    if form.kind is Kind.DEQUE:
        return len(body) > 0 and (body[0] is None or type(body[0]) is int)
    if form.kind is Kind.ARRAY:
        return len(body) == 2 and type(body[0]) is str and type(body[1]) is bytes  # noqa: PLR2004 -- as `Kind` says.
    return form.kind not in _ONE_VALUE or (len(body) == 1 and type(body[0]) is not list)


def _special(value: list[Any]) -> object:
    if not value:
        return UNSET
    kind, raw = value
    _check(type(raw) is bytes)
    if kind == LARGE_INTEGER:
        return int.from_bytes(raw, "big", signed=True)
    _check(kind == BROKEN_TEXT)
    return str(raw, "utf-8", "surrogatepass")


def _is_attribute(name: str) -> bool:
    return name.isidentifier() and not name.startswith("__")


def _check(holds: bool) -> None:  # noqa: FBT001 -- it reads as an assertion.
    if not holds:
        message = "the snapshot is damaged: a value in it is none that was ever written"
        raise StateError(message)
