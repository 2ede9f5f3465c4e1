"""What works in the process that made it, and nowhere else.

Threads do not survive a fork, locks may be held for ever in a child, and what the kernel holds for the parent must not
be taken down by a child that ends.
"""

import os
from typing import NoReturn

from pyloader.errors import ForkedError, UsageError


class OfOneProcess:
    """The base of what has threads, locks or kernel objects behind it."""

    def __init__(self) -> None:
        self._pid = os.getpid()

    def __reduce__(self) -> NoReturn:
        message = f"a {type(self).__name__} cannot be sent to another process; make one there"
        raise UsageError(message)

    @property
    def is_inherited(self) -> bool:
        """Whether this is a copy that a fork made."""
        return os.getpid() != self._pid

    def require_owner(self) -> None:
        """Raise `ForkedError` in a process that a fork made."""
        if self.is_inherited:
            message = (
                f"this {type(self).__name__} belongs to process {self._pid}, of which process {os.getpid()} is a fork;"
                " make another one here"
            )
            raise ForkedError(message)
