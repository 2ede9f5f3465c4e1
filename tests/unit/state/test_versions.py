"""A snapshot of another version gives what it can."""

from typing import Any

import msgspec
import pytest

from pyloader.state.load import load
from pyloader.state.save import save
from tests.unit.state.things import CLASSES, NOTHING_YET, POSITIVE, Box, Colour, Leaf, Node, Pair, Point, Table, Whole

HERE = Node.__module__


def _edited(root: object, old: bytes, new: bytes) -> bytes:
    """Return a snapshot in which a name is another one of the same length."""
    data = save({"root": root}, CLASSES)
    assert old in data
    assert len(old) == len(new)
    return data.replace(old, new)


def _without(root: object, cls: type, attribute: str) -> bytes:
    """Return a snapshot of a version whose class did not have an attribute."""
    shapes, anchors, nodes = msgspec.msgpack.decode(save({"root": root}, CLASSES))
    for number, shape in enumerate(shapes):
        if shape[1:2] == [f"{HERE}:{cls.__qualname__}"]:
            index = shape.index(attribute)
            del shape[index]
            for node in nodes:
                if node[0] == number:
                    del node[index - 1]
    return msgspec.msgpack.encode((shapes, anchors, nodes))


def test_unknown_attributes_are_dropped() -> None:
    """An attribute that this version does not have is left out and counted; the others are there."""
    table = Table()
    table.learn("a", 1)
    fresh = Box(Table())

    assert load(_edited(Box(table), b"threshold", b"obsoleted"), {"root": fresh}, CLASSES) == {
        f"{HERE}:Table.obsoleted": 1
    }
    assert fresh.content.known == {"a": 1}
    assert not hasattr(fresh.content, "obsoleted")


def test_unknown_slots_are_dropped() -> None:
    """So is one of an object that is made anew."""
    node: Node[Any] = Node(1)
    node.table = {"a": 2}
    fresh = Box(None)
    data = _edited(Box(Leaf()), b"depth", b"width")

    assert load(data, {"root": fresh}, CLASSES) == {f"{HERE}:Leaf without depth": 1}
    assert fresh.content is None


def test_attributes_that_are_new_keep_their_fresh_value() -> None:
    """What an older version did not save is as the constructor made it."""
    table, fresh = Table(), Table()
    table.learn("a", 1)
    fresh.threshold = 0.75

    assert load(_without(table, Table, "threshold"), {"root": fresh}, CLASSES) == {}
    assert (fresh.threshold, fresh.known) == (0.75, {"a": 1})


@pytest.mark.parametrize(
    ("root", "cls", "attribute", "expected"),
    [(Box([Point(1, 2)]), Point, "y", [Point(1, 0)]), (Box([Pair(1, 2)]), Pair, "second", [Pair(1, None)])],
)
def test_fields_that_are_new_have_their_defaults(root: object, cls: type, attribute: str, expected: object) -> None:
    """Fields of structs and of named tuples that an older version did not save have their defaults."""
    fresh = Box(None)

    assert load(_without(root, cls, attribute), {"root": fresh}, CLASSES) == {}
    assert fresh.content == expected


def test_slots_that_are_new_have_their_declared_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """An object that is made anew has what its class gives for older versions; without that it is forgotten."""
    data, fresh = _without(Box([Node(1)]), Node, "value"), Box(None)

    assert load(data, {"root": fresh}, CLASSES) == {f"{HERE}:Node without value": 1}
    assert fresh.content == []

    monkeypatch.setattr(Node, "DEFAULTS", {"value": 9}, raising=False)

    assert load(data, {"root": fresh}, CLASSES) == {}
    assert [node.value for node in fresh.content] == [9]


def test_classes_that_are_no_more_are_forgotten() -> None:
    """Objects of a class that this version does not have vanish with what cannot be without them."""
    root = Box([Leaf(), (Leaf(), 1), {"a": Leaf(), "b": 2}, Pair(1, Leaf()), Pair(Leaf(), 1), Leaf])
    fresh = Box(None)

    assert load(_edited(root, b"things:Leaf", b"things:Lost"), {"root": fresh}, CLASSES) == {f"{HERE}:Lost": 6}
    assert fresh.content == [{"b": 2}, Pair(1)]


def test_members_and_constants_that_are_no_more_are_forgotten() -> None:
    """So do members of enumerations and constants that have gone."""
    fresh = Box(None)

    assert load(_edited(Box([Colour.RED, 1]), b"red", b"rot"), {"root": fresh}, CLASSES) == {f"{HERE}:Colour": 1}
    assert fresh.content == [1]

    data = _edited(Box([POSITIVE, NOTHING_YET]), b":NOTHING_YET", b":NOTHING_NOW")

    assert load(data, {"root": fresh}, CLASSES) == {f"{HERE}:NOTHING_NOW": 1}
    assert fresh.content == [POSITIVE]


def test_roots_of_another_class_stay_as_they_are() -> None:
    """A root that has become another class is not filled with what the old one held."""
    whole = Whole()
    load(save({"root": Box(1)}, CLASSES), {"root": whole}, CLASSES)

    assert whole.table.known == {}
    assert not hasattr(whole, "content")
