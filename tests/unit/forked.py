"""Do something in a child that a fork made."""

import os
from collections.abc import Callable


def in_a_fork(act: Callable[[], object]) -> str:
    """Return what a function returns, or the exception that it raises, in a forked child, as text."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            told = str(act())
        except BaseException as error:  # noqa: BLE001 -- the parent judges.
            told = f"{type(error).__name__}: {error}"
        os.write(write, told.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        told = answer.read()
    os.waitpid(child, 0)
    return told
