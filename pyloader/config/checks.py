"""What a value must be beyond its type: the same words, whether it comes from a file, a variable or a flag.

Each check returns nothing, or raises `ValueError` that says what is wrong with the value.
"""

import math
import re
from collections.abc import Sequence
from typing import Final

from pyloader.monitors import MONITORS, ON_INTERFACES
from pyloader.scorer import threshold_for

_DAYS: Final = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.0}


def score(value: float) -> None:
    """Check a score."""
    if not 0 <= value <= 100:  # noqa: PLR2004 -- the scale.
        message = f"{value:g} is not between 0 and 100"
        raise ValueError(message)


def budget(value: str) -> None:
    """Check an alert budget."""
    threshold_of(value)


def threshold_of(value: str) -> float:
    """Return the score from which on alerts keep to a budget. Raises `ValueError` if it is none.

    >>> round(threshold_of("1/day")), round(threshold_of("10/day")), round(threshold_of("1/week"))
    (62, 49, 72)
    """
    match = re.fullmatch(r"([0-9]{0,9}\.?[0-9]{1,9})/(hour|day|week|month)", value)
    if match is None or not float(match[1]):
        message = f"{value!r} is no budget; write a number per hour, day, week or month, as in 1/day"
        raise ValueError(message)
    return threshold_for(float(match[1]) / _DAYS[match[2]])


def seconds(value: float) -> None:
    """Check a duration."""
    if not 0 < value < math.inf:
        message = f"{value:g} is not a positive number of seconds"
        raise ValueError(message)


def workers(value: int) -> None:
    """Check a number of workers."""
    if not 1 <= value <= 16:  # noqa: PLR2004 -- more than any host needs.
        message = f"{value} is not a number of workers from 1 to 16"
        raise ValueError(message)


def ring_bytes(value: int) -> None:
    """Check the size of a ring: what every kernel accepts, whatever its page size."""
    if value < 1 << 16 or value > 1 << 30 or value & (value - 1):
        message = f"{value} is not a power of two from 65536 to 1073741824"
        raise ValueError(message)


def spool_bytes(value: int) -> None:
    """Check the size of a spool."""
    if not 1 << 16 <= value < 1 << 63:
        message = f"{value} is not a number of bytes from 65536"
        raise ValueError(message)


def stream(value: str) -> None:
    """Check the name of a JetStream stream, which may be missing."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{0,64}", value):
        message = f"{value!r} is not a name of up to 64 letters, digits, _ and -"
        raise ValueError(message)


def instance(value: str) -> None:
    """Check the name of an instance: it becomes the name of a folder in bpffs, which allows no dots."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", value):
        message = f"{value!r} is not a name of up to 32 letters, digits, _ and -"
        raise ValueError(message)


def interface(value: str) -> None:
    """Check the name of a network interface, as long as the kernel allows (IFNAMSIZ)."""
    if not re.fullmatch(r"[^\s/:\0]{1,15}", value):
        message = f"{value!r} is no name of an interface"
        raise ValueError(message)


def interfaces(values: Sequence[str]) -> None:
    """Check the names of network interfaces."""
    for value in values:
        interface(value)


def monitor(value: str) -> None:
    """Check the name of a monitor that needs no interface."""
    _require(value, list(MONITORS))


def monitors(values: Sequence[str]) -> None:
    """Check the names of monitors that can run, on interfaces or without. There must be one."""
    for value in values or [""]:
        _require(value, [*MONITORS, *ON_INTERFACES])


def _require(value: str, known: Sequence[str]) -> None:
    if value not in known:
        message = f"there is no monitor {value!r}; there are: {', '.join(known)}"
        raise ValueError(message)
