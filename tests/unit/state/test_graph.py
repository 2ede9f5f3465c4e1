"""Any graph of objects comes back as it was."""

from collections import deque
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from pyloader.errors import StateError
from pyloader.state.load import load
from pyloader.state.save import save
from tests.unit.state.graphs import alike, graphs
from tests.unit.state.things import (
    CLASSES,
    NOTHING_YET,
    POSITIVE,
    RULES,
    Bits,
    Box,
    Colour,
    Leaf,
    Node,
    Pair,
    Part,
    Point,
    Registry,
    Table,
    Whole,
)


def _again(one: Any) -> Any:
    """Return what comes back of an object that is held by another one."""
    root: Node[None] = Node(None)
    root.other = one
    fresh: Node[None] = Node(None)
    assert load(save({"root": root}, CLASSES), {"root": fresh}, CLASSES) == {}
    return fresh.other


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(graphs())
def test_any_graph_comes_back(root: Node[Any]) -> None:
    """Values, order, shared objects and circles are the same after a save and a load."""
    fresh: Node[Any] = Node(None)

    assert load(save({"root": root}, CLASSES), {"root": fresh}, CLASSES) == {}
    assert alike(root, fresh)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(graphs())
def test_what_came_back_is_saved_as_the_same_bytes(root: Node[Any]) -> None:
    """A graph has one form as bytes, which does not change when it is saved and loaded."""
    first = save({"root": root}, CLASSES)
    fresh: Node[Any] = Node(None)
    load(first, {"root": fresh}, CLASSES)

    assert save({"root": fresh}, CLASSES) == first


def test_long_chains_come_back() -> None:
    """A chain of 10,000 objects, or of 10,000 tuples inside of each other, is no deeper than any other graph."""
    chain: Any = None
    for number in range(10_000):
        before, chain = chain, Node(number)
        chain.other = before
    nested: Any = ()
    for _ in range(10_000):
        nested = (nested,)
    found, shell = _again([chain, nested])

    for number in reversed(range(10_000)):
        assert found.value == number
        found = found.other
    for _ in range(10_000):
        (shell,) = shell
    assert found is None
    assert shell == ()


def test_immutable_objects_in_circles_come_back() -> None:
    """A circle through a named tuple, a frozen struct and an object closes again."""
    node: Node[Any] = Node("in the circle")
    node.other = Pair(Point([node]))

    found = _again(node)

    assert found.other.first.x == [found]
    assert found.other.second is None


def test_keys_come_back() -> None:
    """Objects, tuples of objects, members of enumerations, classes and structs are keys as before."""
    node: Node[Any] = Node("key")
    node.table = {node: 1, (node, 2): 2, Colour.RED: 3, Leaf: 4, Point(1, "y"): 5, Bits(3): 6, frozenset({1, 2}): 7}

    found = _again(node)

    assert list(found.table) == [found, (found, 2), Colour.RED, Leaf, Point(1, "y"), Bits(3), frozenset({1, 2})]
    assert [found.table[key] for key in (found, (found, 2), Colour.RED, Leaf)] == [1, 2, 3, 4]


def test_attributes_that_are_not_set_stay_so() -> None:
    """An empty slot is empty afterwards."""
    node: Node[int] = Node(1)
    del node.value

    assert not hasattr(_again(node), "value")


def test_sets_are_written_in_one_order() -> None:
    """Two equal sets that were filled in different orders give the same bytes."""
    one, other = {0, 8}, {8, 0}

    assert list(one) != list(other)
    assert save({"root": Node(0), "set": one}, CLASSES) == save({"root": Node(0), "set": other}, CLASSES)


def test_fresh_objects_stay_the_same() -> None:
    """What a constructor joined by bound methods is still joined after a load: components are filled, not replaced."""
    whole = Whole()
    whole.table.learn("thing", whole.parts[1])
    for _ in range(3):
        whole.handlers["second"]()
    fresh = Whole()
    second, table = fresh.parts[1], fresh.table

    assert load(save({"whole": whole}, CLASSES), {"whole": fresh}, CLASSES) == {}
    assert fresh.parts[1] is second
    assert fresh.parts[1].table is table is fresh.parts[0].table
    assert fresh.handlers["second"]() == 4
    assert fresh.handlers["first"]() == 1
    assert table.find("thing") is second


def test_fresh_objects_of_dictionaries_stay_the_same() -> None:
    """A component that the constructor put under a key is filled where it is, whatever the key."""
    whole = Whole()
    whole.by_rule[POSITIVE].value = 5
    whole.by_colour[Colour.RED].value = 6
    fresh = Whole()
    by_rule, by_colour = fresh.by_rule[POSITIVE], fresh.by_colour[Colour.RED]
    load(save({"whole": whole}, CLASSES), {"whole": fresh}, CLASSES)

    assert (fresh.by_rule[POSITIVE] is by_rule, by_rule.value) == (True, 5)
    assert (fresh.by_colour[Colour.RED] is by_colour, by_colour.value) == (True, 6)
    assert list(fresh.by_rule) == list(RULES)


def test_one_fresh_object_stands_for_one_object() -> None:
    """Two objects that were one when they were constructed are two after a load."""
    whole = Whole()
    whole.parts[1].table = Table()
    whole.parts[1].table.learn("own", 1)
    fresh = Whole()
    load(save({"whole": whole}, CLASSES), {"whole": fresh}, CLASSES)

    assert fresh.parts[0].table is fresh.table
    assert fresh.parts[1].table is not fresh.table
    assert fresh.parts[1].table.known == {"own": 1}
    assert fresh.table.known == {}


def test_settings_are_those_of_the_fresh_object() -> None:
    """What a constructor was told now counts, and not what it was told then; a room that became smaller is smaller."""
    whole, fresh = Whole(), Whole()
    whole.table.threshold = 0.9
    whole.extra = Table(capacity=8, threshold=0.7)
    fresh.table = Table(capacity=2, threshold=0.1)
    load(save({"whole": whole}, CLASSES), {"whole": fresh}, CLASSES)

    assert (fresh.table.capacity, fresh.table.threshold) == (2, 0.1)
    assert isinstance(fresh.extra, Table)
    assert (fresh.extra.capacity, fresh.extra.threshold) == (8, 0.7)


def test_a_fresh_queue_keeps_its_length() -> None:
    """A queue that may be no longer than now keeps the latest of what a longer one had."""
    root, fresh = Box(deque([1, 2, 3], maxlen=5)), Box(deque(maxlen=2))
    load(save({"root": root}, CLASSES), {"root": fresh}, CLASSES)

    assert fresh.content == deque([2, 3], maxlen=2)


def test_constants_are_named() -> None:
    """An object that a module holds is itself afterwards, is neither copied nor written to, and may hold code."""
    whole, fresh = Whole(), Whole()
    whole.extra = [POSITIVE, RULES[1], NOTHING_YET]
    whole.nothing = Node("something")
    load(save({"whole": whole}, CLASSES), {"whole": fresh}, CLASSES)

    assert isinstance(fresh.extra, list)
    assert all(one is other for one, other in zip(fresh.extra, [POSITIVE, RULES[1], NOTHING_YET], strict=True))
    assert (fresh.nothing.value, NOTHING_YET.value) == ("something", "nothing")


def test_wiring_is_not_saved() -> None:
    """Neither functions nor what maps to them are in the bytes."""
    data = save({"whole": Whole()}, CLASSES)

    assert b"by_rule" in data
    assert b"handlers" not in data
    assert b"find" not in data


def test_objects_without_their_wiring_are_not_made() -> None:
    """An object that no constructor made, and that needs its code, is forgotten with what it was part of."""
    node: Node[Any] = Node(len)
    holder: Node[Any] = Node("holder")
    holder.links = [node, 1, (node,)]
    root, fresh = Box(holder), Box(None)

    assert load(save({"root": root}, CLASSES), {"root": fresh}, CLASSES) == {
        f"{__package__}.things:Node without value": 1
    }
    assert fresh.content.links == [1]


@pytest.mark.parametrize("odd", [Registry(), object(), range(3), iter([]), len, {1: len, 2: 3}.items(), Whole.__init__])
def test_what_cannot_be_saved_is_refused(odd: object) -> None:
    """An object of a class that is no state is an error, which says what holds it."""
    with pytest.raises(StateError, match=r"cannot be saved; it is held by .*list, in Box"):
        save({"root": Box([1, odd])}, CLASSES)


def test_roots_without_each_other() -> None:
    """Of several roots one can be loaded alone; one that was not saved stays as it is."""
    data = save({"one": Box(1), "two": Box(2)}, CLASSES)
    two, three = Box(0), Box(3)

    assert load(data, {"two": two, "three": three}, CLASSES) == {}
    assert (two.content, three.content) == (2, 3)


def test_only_what_a_root_needs_comes_back() -> None:
    """Of a snapshot with everything, a part comes back alone, with what it shares with the rest."""
    whole, table = Whole(), Table()
    whole.table.learn("a", whole.parts[0])
    fresh = Table()
    load(save({"whole": whole, "table": whole.table}, CLASSES), {"table": fresh}, CLASSES)

    assert fresh.known.keys() == {"a"}
    assert isinstance(part := fresh.known["a"], Part)
    assert part.table is fresh is not table
