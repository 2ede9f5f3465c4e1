"""Bring graphs of objects back, in place over ones that were just constructed.

Constructors join objects to code (see `wiring`), so what they made is kept: an object of the snapshot that lies where a
fresh one of its class lies, by the same attributes, indices or keys from a root on, is filled into that one. All other
objects are made without their constructors. Mutable objects are made first, so that circular references have something
to refer to; then immutable ones, the innermost first; then the former are filled, dictionaries and sets last, since
keys need what their hash is made of.

A snapshot of another version may lack attributes, or have some or whole classes that are no more. Such an attribute is
left as the constructor made it. Where that is impossible the object is forgotten, with every entry and every object
that cannot be without it.
"""

from array import array
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pyloader.errors import StateError
from pyloader.state.classes import Classes
from pyloader.state.form import WITH_ATTRIBUTES, Kind
from pyloader.state.graph import UNSET, Body, Form, Graph

_MISSING: Final = object()
_TABLES: Final = frozenset({Kind.SET, Kind.DICT, Kind.COUNTER})


def load(data: bytes, roots: Mapping[str, object], classes: Classes) -> dict[str, int]:
    """Fill the roots, which must have just been constructed, with what was saved under their names.

    Only what can be reached from these roots is brought back, and roots that the snapshot does not have stay as they
    are. Returns what this version could not use, by name, and how often. Raises `StateError` if the data are damaged;
    the roots are then of no more use.
    """
    try:
        return _Load(Graph(data, classes), classes).load(roots)
    except StateError:
        raise
    except Exception as error:
        # Damage can make anything of anything: a key that has no hash, a text for a number.
        message = f"the snapshot is damaged: {error}"
        raise StateError(message) from error


class _Load:
    """One restoration. `_made` holds the object of each node as soon as there is one."""

    def __init__(self, graph: Graph, classes: Classes) -> None:
        self._graph = graph
        self._classes = classes
        self._made: dict[int, Any] = {}
        self._fresh: dict[int, object] = {}
        self._lost: set[int] = set()
        self._unused: Counter[str] = Counter()

    def load(self, roots: Mapping[str, object]) -> dict[str, int]:
        """Do it step by step."""
        self._name()
        known = {name: number for name, number in self._graph.anchors.items() if name in roots}
        for name in sorted(roots.keys() & known):
            self._pair(known[name], roots[name])
        wanted = self._reach(number for number in known.values() if number in self._fresh)
        self._lose(wanted)
        wanted = [number for number in wanted if number not in self._lost]
        self._make(wanted)
        self._fill(wanted)
        return dict(sorted(self._unused.items()))

    def _name(self) -> None:
        """Find what is only named, and note what is not there."""
        for number, (form, body) in enumerate(zip(self._graph.forms, self._graph.bodies, strict=True)):
            if form.cls is not None and form.kind is not Kind.ENUM:
                continue
            found = self._named(form, body)
            if found is _MISSING:
                self._lost.add(number)
                self._unused[form.name or body[0]] += 1
            else:
                self._made[number] = found

    def _named(self, form: Form, body: Body) -> object:
        """Return a member of an enumeration, a class, or a constant, or `_MISSING` if there is no such any more."""
        if form.kind is Kind.TYPE:
            return self._classes.find(body[0]) or _MISSING
        if form.kind is Kind.CONSTANT:
            return self._classes.constants.get(body[0], _MISSING)
        return _MISSING if form.cls is None else _member(form.cls, body[0])

    def _pair(self, root: int, fresh: object) -> None:
        """Find for the objects of the snapshot those that lie in the same places of a fresh tree."""
        claimed = {id(one) for one in self._fresh.values()}
        waiting = deque([(root, fresh)])
        while waiting:
            number, one = waiting.popleft()
            form, body = self._graph.forms[number], self._graph.bodies[number]
            constant = id(one) in self._classes.names_of_constants
            if form.cls is not type(one) or number in self._lost or number in self._fresh or constant:
                continue
            if form.mutable:
                if id(one) in claimed:
                    continue
                claimed.add(id(one))
                self._fresh[number] = one
            for value, member in self._places(form, body, one):
                if type(value) is list:
                    waiting.append((value[0], member))

    def _places(self, form: Form, body: Body, one: Any) -> Iterable[tuple[Any, object]]:
        """Return the values of a node beside the members of a fresh object that are in the same places."""
        if form.kind in WITH_ATTRIBUTES:
            named = zip(form.names, body, strict=True)
            return [(value, getattr(one, name, None)) for name, value in named if name not in form.settings]
        if form.kind in (Kind.LIST, Kind.TUPLE):
            return zip(body, one, strict=True) if len(body) == len(one) else ()
        if form.kind in (Kind.DICT, Kind.COUNTER):
            keys = [self._made.get(key[0], _MISSING) if type(key) is list else key for key in body[::2]]
            return [(value, one[key]) for key, value in zip(keys, body[1::2], strict=True) if key in one]
        return ()

    def _reach(self, numbers: Iterable[int]) -> list[int]:
        reached = dict.fromkeys(numbers)
        waiting = list(reached)
        while waiting:
            for number in self._graph.references(waiting.pop()):
                if number not in reached and number not in self._lost:
                    reached[number] = None
                    waiting.append(number)
        return list(reached)

    def _lose(self, wanted: list[int]) -> None:
        """Forget every object that lacks something, and those that lack something because of that."""
        for number in wanted:
            form = self._graph.forms[number]
            if form.missing and number not in self._fresh:
                self._lost.add(number)
                self._unused.update(f"{form.name} without {name}" for name in form.missing)
        if not self._lost:
            return
        holders: dict[int, list[int]] = {}
        for number in wanted:
            for other in self._graph.references(number):
                holders.setdefault(other, []).append(number)
        waiting = list(self._lost)
        while waiting:
            for holder in holders.get(waiting.pop(), ()):
                if holder not in self._lost and self._is_lacking(holder):
                    self._lost.add(holder)
                    waiting.append(holder)

    def _is_lacking(self, number: int) -> bool:
        """Return whether an object cannot be made without what is lost."""
        form, body = self._graph.forms[number], self._graph.bodies[number]
        lost = [type(value) is list and value[0] in self._lost for value in body]
        if form.kind is Kind.TUPLE:
            return any(lost)
        if form.kind not in WITH_ATTRIBUTES or number in self._fresh:
            return False
        return any(is_lost and name not in form.optional for name, is_lost in zip(form.names, lost, strict=True))

    def _make(self, wanted: list[int]) -> None:
        """Make all objects: mutable ones empty, immutable ones whole."""
        made = self._made
        for number in wanted:
            form = self._graph.forms[number]
            if number in self._fresh:
                made[number] = self._fresh[number]
            elif form.mutable:
                made[number] = _empty(form, self._graph.bodies[number])
        for number in wanted:
            if number not in made:
                self._make_whole(number)

    def _make_whole(self, first: int) -> None:
        made, begun = self._made, set[int]()
        waiting = [first]
        while waiting:
            number = waiting[-1]
            if number in made:
                waiting.pop()
                continue
            inside = [one for one in self._graph.references(number) if one not in made and one not in self._lost]
            if not inside:
                made[number] = _whole(self._graph.forms[number], self._members(self._graph.bodies[number]))
            elif number in begun:
                message = "the snapshot is damaged: something immutable contains itself"
                raise StateError(message)
            begun.add(number)
            waiting += inside

    def _members(self, body: Body) -> Body:
        """Return values with objects for the numbers of nodes, and `_MISSING` for what is lost."""
        made = self._made
        return [made.get(value[0], _MISSING) if type(value) is list else value for value in body]

    def _fill(self, wanted: list[int]) -> None:
        tables: list[int] = []
        for number in wanted:
            form = self._graph.forms[number]
            if form.kind in _TABLES:
                tables.append(number)
            elif form.mutable:
                self._fill_one(self._made[number], form, self._members(self._graph.bodies[number]), number)
        for number in tables:
            self._fill_table(self._made[number], self._graph.forms[number], self._members(self._graph.bodies[number]))

    def _fill_one(self, one: Any, form: Form, values: Body, number: int) -> None:
        if form.kind is Kind.LIST:
            one[:] = [value for value in values if value is not _MISSING]
        elif form.kind is Kind.DEQUE:
            one.clear()
            one.extend(value for value in values[1:] if value is not _MISSING)
        else:
            self._fill_attributes(one, form, values, fresh=number in self._fresh)

    def _fill_attributes(self, one: Any, form: Form, values: Body, *, fresh: bool) -> None:
        own = getattr(one, "__dict__", None)
        put = setattr if form.kind is Kind.STRUCT else object.__setattr__
        for name, value in zip(form.names, values, strict=True):
            if fresh and name in form.settings:
                continue
            is_there = value is not _MISSING and value is not UNSET
            if not is_there and (fresh or name not in form.defaults):
                continue
            if fresh and is_there and not _alike(getattr(one, name, None), value):
                # Another version kept something else under this name.
                self._unused[f"{form.name}.{name}"] += 1
            elif name in form.expected:
                put(one, name, value if is_there else form.defaults[name])
            elif own is not None and (name in own or not fresh):
                own[name] = value if is_there else form.defaults[name]
            else:
                self._unused[f"{form.name}.{name}"] += 1
        if not fresh:
            for name in form.defaults.keys() - set(form.names):
                object.__setattr__(one, name, form.defaults[name])

    def _fill_table(self, one: Any, form: Form, values: Body) -> None:
        one.clear()
        if form.kind is Kind.SET:
            one.update(value for value in values if value is not _MISSING)
            return
        for key, value in zip(values[::2], values[1::2], strict=True):
            if key is not _MISSING and value is not _MISSING:
                one[key] = value


_SORTS: Final = ((int, float), (str,), (bytes,), (list, tuple, dict, set, frozenset, deque))


def _alike(fresh: object, value: object) -> bool:
    """Return whether a value is of the sort that a fresh object has in its place; nothing is like everything."""
    if fresh is None or value is None:
        return True
    return all(isinstance(fresh, sort) == isinstance(value, sort) for sort in _SORTS)


def _member(cls: type, value: object) -> object:
    """Return the member of an enumeration, or `_MISSING` if it has none with this value."""
    try:
        return cls(value)
    except ValueError:
        return _MISSING


def _empty(form: Form, body: Body) -> object:
    """Return a new object, to be filled."""
    cls: Any = form.cls
    if form.kind is Kind.OBJECT:
        return object.__new__(cls)
    if form.kind is Kind.STRUCT:
        return cls(**{name: None for name in form.expected if name not in form.optional})
    if form.kind is Kind.DEQUE:
        return deque(maxlen=body[0])
    return cls()


def _whole(form: Form, values: Body) -> object:
    cls: Any = form.cls
    if form.kind is Kind.STRUCT:
        named = zip(form.names, values, strict=True)
        return cls(**{name: value for name, value in named if value is not _MISSING and name in form.expected})
    if form.kind is Kind.NAMED:
        by_name = form.defaults | {
            name: value for name, value in zip(form.names, values, strict=True) if value is not _MISSING
        }
        return cls._make(by_name[name] for name in form.expected)
    if form.kind is Kind.ARRAY:
        found = array(values[0])
        found.frombytes(values[1])
        return found
    if form.kind is Kind.BYTES:
        return bytearray(values[0])
    return cls(value for value in values if value is not _MISSING)
