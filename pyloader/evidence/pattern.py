"""Regular expressions that are compiled when they are first used.

There are fifty of them, most of them long, and compiling them all would take a quarter of the time that it takes to
import pyloader.
"""

import re
from typing import Any, cast


class _Pattern:
    """Stands for a compiled pattern; after its first use, a method of it is an attribute like any other."""

    def __init__(self, source: str, flags: int) -> None:
        self._source = source
        self._flags = flags

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever `re.Pattern` has.
        found = getattr(re.compile(self._source, self._flags), name)
        setattr(self, name, found)
        return found


def pattern(source: str, flags: int = 0) -> re.Pattern[str]:
    """Return a pattern that behaves as the one that `re.compile` returns, but is compiled at its first use."""
    return cast("re.Pattern[str]", _Pattern(source, flags))
