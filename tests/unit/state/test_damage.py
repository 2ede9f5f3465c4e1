"""Whatever bytes are loaded: there is an error of ours, or objects of our classes, and nothing else."""

import sys
from collections import deque
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyloader.errors import StateError
from pyloader.state.load import load
from pyloader.state.save import save
from tests.unit.state.things import CLASSES, Bits, Box, Colour, Guard, Leaf, Node, Pair, Point, Table, Whole


def _rich() -> Whole:
    """Return something with a bit of everything."""
    whole, node = Whole(), Node[Any]("naïve \udc80")
    node.links = [
        1 << 70,
        -1.5,
        (Leaf(), Pair(1, node)),
        {1, 2},
        frozenset({"a"}),
        bytearray(b"x"),
        Colour.RED,
        Bits(3),
    ]
    node.table = {node: Box(Point(1)), ("a", 1): deque([5], maxlen=3), Leaf: None}
    whole.extra = node
    whole.table.learn("table", Table())
    return whole


RICH = save({"whole": _rich()}, CLASSES)


def _try(data: bytes) -> None:
    with suppress(StateError):
        load(data, {"whole": Whole()}, CLASSES)


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """Random bytes raise our error at most."""
    _try(data)


def test_every_truncation() -> None:
    """A snapshot that ends anywhere is an error of ours."""
    for size in range(len(RICH)):
        with pytest.raises(StateError):
            load(RICH[:size], {"whole": Whole()}, CLASSES)


def test_every_flipped_bit() -> None:
    """A snapshot with one wrong bit raises our error at most."""
    for index in range(len(RICH)):
        for bit in range(8):
            data = bytearray(RICH)
            data[index] ^= 1 << bit
            _try(bytes(data))


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, (1 << 64) - 1)
    | st.floats()
    | st.text(max_size=3)
    | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=6,
)


@settings(max_examples=300)
@given(st.data())
def test_any_wrong_values(data: st.DataObject) -> None:
    """A snapshot in which some values are others raises our error at most."""
    shapes, anchors, nodes = msgspec.msgpack.decode(RICH)
    for _ in range(data.draw(st.integers(1, 4))):
        node = data.draw(st.sampled_from(nodes))
        node[data.draw(st.integers(0, len(node) - 1))] = data.draw(
            values | st.lists(st.integers(0, len(nodes)), max_size=2)
        )
    _try(msgspec.msgpack.encode((shapes, anchors, nodes)))


FORBIDDEN = [
    "os:system",
    "subprocess:Popen",
    "builtins:object",
    "builtins:eval",
    "pyloader.binding.handle:Handle",
    "pyloader.state.load:_Load",
    "tests.unit.state.things:run",
    "tests.unit.state.things:subprocess",
    "tests.unit.state.things:subprocess.Popen",
    "tests.unit.state.things:StrEnum",
    "tests.unit.state.things:Guard",
    "tests.unit.state.things:Registry",
    "tests.unit.state.things:Whole.__init__",
    "tests.unit.state.things:CLASSES",
    "tests.unit.state.things:",
    "tests.unit.state.things",
    "tests.unit.state.things2:Node",
    "tests.unit.state.things/../graphs:plain",
    "antigravity:fly",
    "",
]


@pytest.mark.parametrize("kind", ["object", "struct", "named", "enum", "type"])
@pytest.mark.parametrize("name", FORBIDDEN)
def test_nothing_outside_the_list_is_found(kind: str, name: str) -> None:
    """A snapshot that names anything but a plain class of the packages is refused, and nothing is imported for it."""
    before = set(sys.modules)
    shape, node = ([kind], [0, name]) if kind == "type" else ([kind, name, "value"], [0, 1])
    data = msgspec.msgpack.encode(([shape, ["list"]], {"root": 1}, [node, [1, [0]]]))

    with pytest.raises(StateError, match="which is nothing that a snapshot may hold"):
        load(data, {"root": []}, CLASSES)
    assert set(sys.modules) == before


@pytest.mark.parametrize("name", ["__class__", "__dict__", "__init__", "a b", "1", "", "__hidden"])
def test_no_attribute_of_the_language_is_set(name: str) -> None:
    """A snapshot cannot change what an object is."""
    data = msgspec.msgpack.encode(([["object", "tests.unit.state.things:Table", name]], {"root": 0}, [[0, 1]]))

    with pytest.raises(StateError, match="damaged"):
        load(data, {"root": Table()}, CLASSES)


def test_no_constructor_and_no_code_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects are made without their constructors."""
    data = save({"root": Box([Node(1), Leaf(), Table()])}, CLASSES)
    fresh = Box(None)

    def forbidden(*_: object) -> None:
        raise AssertionError

    for cls in (Node, Leaf, Table):
        monkeypatch.setattr(cls, "__init__", forbidden)

    assert load(data, {"root": fresh}, CLASSES) == {}
    assert len(fresh.content) == 3


def test_classes_with_finalisers_are_refused() -> None:
    """An object that does something at its end can neither be saved nor made from a file."""
    with pytest.raises(StateError, match="cannot be saved"):
        save({"root": Box(Guard())}, CLASSES)


def test_immutable_circles_are_refused() -> None:
    """Tuples that contain each other, which no program can make, are an error and no endless loop."""
    data = msgspec.msgpack.encode(([["tuple"], ["list"]], {"root": 0}, [[1, [1]], [0, [2]], [0, [1]]]))

    with pytest.raises(StateError, match="contains itself"):
        load(data, {"root": []}, CLASSES)
