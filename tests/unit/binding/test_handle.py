"""A pointer is released exactly once."""

import gc
from typing import cast

import pytest

from pyloader.binding.handle import Handle
from pyloader.binding.library import Libbpf, Pointer
from pyloader.errors import ClosedError

NO_LIBRARY = cast("Libbpf", None)


class _Sample(Handle):
    """A handle that writes down what it releases."""

    def __init__(self, released: list[Pointer], error: Exception | None = None) -> None:
        super().__init__(NO_LIBRARY, 4711)
        self._released = released
        self._error = error

    def _release(self, pointer: Pointer) -> None:
        self._released.append(pointer)
        if self._error is not None:
            raise self._error


def test_close_is_idempotent() -> None:
    """However often a handle is closed, its pointer is released once."""
    released: list[Pointer] = []
    handle = _Sample(released)

    assert (handle.pointer, handle.closed) == (4711, False)
    handle.close()
    handle.close()
    assert (released, handle.closed) == ([4711], True)


def test_context_closes() -> None:
    """Leaving the context releases the pointer, with an exception as well."""
    released: list[Pointer] = []
    with pytest.raises(KeyError), _Sample(released) as handle:
        raise KeyError(handle.pointer)

    assert released == [4711]


def test_use_after_close() -> None:
    """The pointer of a closed handle cannot be had: C would crash with it."""
    handle = _Sample([])
    handle.close()

    with pytest.raises(ClosedError, match="_Sample is closed"):
        _ = handle.pointer


def test_release_that_fails_is_not_repeated() -> None:
    """A release that raises has released: the pointer is gone all the same."""
    released: list[Pointer] = []
    handle = _Sample(released, OSError(5, "Input/output error"))
    with pytest.raises(OSError, match="Input/output error"):
        handle.close()
    handle.close()

    assert released == [4711]


def test_leaked_handle_warns() -> None:
    """A handle that nobody closed is released all the same, with a warning."""
    released: list[Pointer] = []
    handle = _Sample(released)
    with pytest.warns(ResourceWarning, match="_Sample was not closed"):
        del handle

    assert released == [4711]


class _Unmade(Handle):
    """A handle whose making fails before there is a pointer."""

    def __init__(self) -> None:
        raise OSError(12, "Cannot allocate memory")


def test_handle_that_was_never_made() -> None:
    """A handle that failed before it had a pointer has nothing to release and warns of nothing."""
    with pytest.raises(OSError, match="Cannot allocate"):
        _Unmade()
    gc.collect()
