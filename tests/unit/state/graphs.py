"""Random graphs of objects, and whether two of them are alike."""

from array import array
from collections import Counter, deque
from typing import Any

from hypothesis import strategies as st
from msgspec import structs

from tests.unit.state.things import NOTHING_YET, Bits, Box, Colour, Leaf, Mood, Node, Pair, Point

plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 2**700])
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec=None))
    | st.text(st.characters(categories=["Cs"]))
    | st.binary()
)
keys = st.integers() | st.text() | st.binary() | st.sampled_from([*Colour, *Mood, Bits.ONE | Bits.TWO])
named = st.sampled_from([*Colour, *Mood, Bits(0), Bits(3), Node, Point, Colour, NOTHING_YET])


@st.composite
def graphs(draw: st.DrawFn) -> Node[Any]:
    """Draw a node from which up to 12 objects can be reached, each in any number of ways, itself included."""
    made: list[Any] = []
    makers = [_node, _leaf, _list, _dict, _set, _deque, _box, _tuple, _pair, _point, _frozen_set, _counter, _array]
    for _ in range(draw(st.integers(0, 12))):
        made.append(draw(st.sampled_from(makers))(draw, made))
    root = Node(None)
    for one in [root, *made]:
        _link(draw, one, made)
    root.links.extend(made)
    return root


def _some(draw: st.DrawFn, made: list[Any]) -> Any:
    return draw(plain | named | st.sampled_from(made) if made else plain | named)


def _node(draw: st.DrawFn, _made: list[Any]) -> Any:
    return Node(draw(plain))


def _leaf(_draw: st.DrawFn, _made: list[Any]) -> Any:
    return Leaf()


def _list(_draw: st.DrawFn, _made: list[Any]) -> Any:
    return []


def _dict(_draw: st.DrawFn, _made: list[Any]) -> Any:
    return {}


def _set(draw: st.DrawFn, _made: list[Any]) -> Any:
    return draw(st.sets(keys, max_size=4))


def _frozen_set(draw: st.DrawFn, _made: list[Any]) -> Any:
    return draw(st.frozensets(keys, max_size=4))


def _deque(draw: st.DrawFn, _made: list[Any]) -> Any:
    return deque(maxlen=draw(st.none() | st.integers(0, 3)))


def _box(draw: st.DrawFn, _made: list[Any]) -> Any:
    return Box(draw(plain))


def _tuple(draw: st.DrawFn, made: list[Any]) -> Any:
    return tuple(_some(draw, made) for _ in range(draw(st.integers(0, 3))))


def _pair(draw: st.DrawFn, made: list[Any]) -> Any:
    return Pair(_some(draw, made), _some(draw, made))


def _point(draw: st.DrawFn, made: list[Any]) -> Any:
    return Point(_some(draw, made), _some(draw, made))


def _counter(draw: st.DrawFn, _made: list[Any]) -> Any:
    return Counter(draw(st.lists(keys, max_size=5)))


def _array(draw: st.DrawFn, _made: list[Any]) -> Any:
    return draw(st.just(bytearray(b"bytes")) | st.just(array("d", [1.0, float("inf")])))


def _link(draw: st.DrawFn, one: Any, made: list[Any]) -> None:
    """Let a mutable object refer to some that were made before or after it."""
    if isinstance(one, Node):
        one.other = _some(draw, made)
        one.links.extend(_some(draw, made) for _ in range(draw(st.integers(0, 2))))
        one.table.update({draw(keys): _some(draw, made) for _ in range(draw(st.integers(0, 2)))})
        if made:
            # Nodes are told apart by identity, so they can be keys while they are not yet filled.
            one.table.update({node: 1 for node in made[:3] if isinstance(node, Node)})
    elif isinstance(one, list | deque):
        one.extend(_some(draw, made) for _ in range(draw(st.integers(0, 3))))
    elif type(one) is dict:
        one.update({draw(keys): _some(draw, made) for _ in range(draw(st.integers(0, 3)))})
    elif isinstance(one, Box):
        one.content = _some(draw, made)


def alike(one: object, other: object) -> bool:
    """Return whether two graphs have the same form and the same values, and share objects in the same places."""
    counterparts: dict[int, int] = {}
    waiting: list[tuple[Any, Any]] = [(one, other)]
    while waiting:
        left, right = waiting.pop()
        if type(left) is not type(right):
            return False
        inside, beside = _members(left), _members(right)
        if inside is None or beside is None:
            if left != right or (not isinstance(left, set | frozenset) and repr(left) != repr(right)):
                return False
        elif id(left) in counterparts:
            if counterparts[id(left)] != id(right):
                return False
        else:
            counterparts[id(left)] = id(right)
            if len(inside) != len(beside):
                return False
            waiting += zip(inside, beside, strict=True)
    return len(set(counterparts.values())) == len(counterparts)


def _members(one: Any) -> list[Any] | None:
    """Return what an object consists of, or `None` if it is a plain value."""
    if isinstance(one, Leaf):
        return [one.value, one.other, one.links, one.table, one.depth, one.hidden]
    if isinstance(one, Node):
        return [one.value, one.other, one.links, one.table]
    if isinstance(one, Point | Box):
        return list(structs.astuple(one))
    if isinstance(one, dict):
        return [member for pair in one.items() for member in pair]
    if isinstance(one, deque):
        return [one.maxlen, *one]
    return list(one) if isinstance(one, list | tuple) else None
