"""Exit codes: scripts depend on them."""

from enum import IntEnum

from pyloader.errors import BusyError, LoadError, NotPermittedError, PyloaderError, UnsupportedError, UsageError


class Exit(IntEnum):
    """How a command ended."""

    DONE = 0
    FAILURE = 1
    USAGE = 2
    UNAVAILABLE = 3
    """Not permitted or not supported here; the message says what to do."""


def exit_code(error: PyloaderError) -> Exit:
    """Return the exit code for an error."""
    if isinstance(error, UsageError):
        return Exit.USAGE
    unavailable = isinstance(error, NotPermittedError | UnsupportedError | LoadError | BusyError)
    return Exit.UNAVAILABLE if unavailable else Exit.FAILURE
