"""Owners of C pointers.

A handle owns one pointer and releases it exactly once. The pointer is cleared before it is released, so that neither a
second `close` nor an exception in between can release it twice, and any use after that is an error in Python instead
of a crash in C. What a fork has copied is released in the parent only: the kernel's side of it is the parent's.
"""

import warnings
from types import TracebackType
from typing import Self

from pyloader.binding.library import Libbpf, Pointer
from pyloader.errors import ClosedError
from pyloader.ownership import OfOneProcess


class Handle(OfOneProcess):
    """The base of all owners: a context manager with an idempotent `close`."""

    def __init__(self, library: Libbpf, pointer: Pointer) -> None:
        super().__init__()
        self._library = library
        self._owned: Pointer | None = pointer

    @property
    def pointer(self) -> Pointer:
        """The pointer. Raises `ClosedError` after `close`."""
        if self._owned is None:
            message = f"{type(self).__name__} is closed"
            raise ClosedError(message)
        return self._owned

    @property
    def closed(self) -> bool:
        """Whether the pointer was released."""
        return self._owned is None

    def close(self) -> None:
        """Release what the pointer stands for. Further calls do nothing."""
        pointer, self._owned = self._owned, None
        if pointer is not None and not self.is_inherited:
            self._release(pointer)

    def _release(self, pointer: Pointer) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_owned", None) is not None and not self.is_inherited:
            warnings.warn(f"{type(self).__name__} was not closed", ResourceWarning, stacklevel=2, source=self)
            self.close()
