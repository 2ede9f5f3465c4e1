"""Options that several commands share, and the checks of their values."""

import argparse
import os
import re
import sys
from pathlib import Path
from typing import Final, TypeAlias

from pyloader.alerts.alert import MEDIUM_FROM
from pyloader.monitors import MONITORS, ON_INTERFACES, Monitor
from pyloader.scorer import threshold_for
from pyloader.sinks import JsonSink, Sink, TextSink
from pyloader.state import default_folder
from pyloader.state.folder import SYSTEM

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add what decides about the output."""
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: %(default)s")
    parser.add_argument("--events", action="store_true", help="show every record, not only alerts")
    threshold = parser.add_mutually_exclusive_group()
    threshold.add_argument(
        "--min-score",
        type=score,
        default=MEDIUM_FROM,
        metavar="N",
        help="lowest score that is reported, 0 to 100; default: %(default)g",
    )
    threshold.add_argument(
        "--alert-budget",
        dest="min_score",
        type=budget,
        metavar="N/PERIOD",
        help="report so much that ordinary work makes about N alerts per hour, day, week or month, as in 1/day",
    )


def add_state(parser: argparse.ArgumentParser) -> None:
    """Add where what is learned is kept, and the choice not to keep it."""
    choice = parser.add_mutually_exclusive_group()
    add_state_folder(choice)
    choice.add_argument("--no-state", action="store_true", help="begin with nothing learned, and keep nothing")


def add_state_folder(parser: "argparse.ArgumentParser | argparse._MutuallyExclusiveGroup") -> None:
    """Add where what is learned is kept."""
    parser.add_argument(
        "--state-dir",
        type=Path,
        metavar="DIR",
        help=f"folder that keeps what is learned; default: {SYSTEM} as root, else ~/.local/state/pyloader",
    )


def state_folder(options: argparse.Namespace) -> Path:
    """Return the folder of the state. Each instance has one of its own by default."""
    if options.state_dir is not None:
        chosen: Path = options.state_dir
        return chosen
    folder = default_folder(os.geteuid(), os.environ)
    return folder if options.instance == "default" else folder.with_name(f"{folder.name}-{options.instance}")


def add_instance(parser: argparse.ArgumentParser) -> None:
    """Add the name under which monitors are pinned and read."""
    parser.add_argument(
        "--instance",
        type=instance,
        default="default",
        metavar="NAME",
        help="a name for a second sensor beside the first; default: %(default)s",
    )


def add_ring_bytes(parser: argparse.ArgumentParser, default: int) -> None:
    """Add the size of the rings."""
    parser.add_argument(
        "--ring-bytes",
        type=ring_bytes,
        default=default,
        metavar="BYTES",
        help="size of each ring, a power of two from 65536; default: %(default)s",
    )


def add_btf(parser: argparse.ArgumentParser) -> None:
    """Add the description of the kernel's types for a kernel that does not give one."""
    parser.add_argument(
        "--btf", type=Path, metavar="FILE", help="BTF of this very kernel, for one without /sys/kernel/btf/vmlinux"
    )


def add_monitors(parser: argparse.ArgumentParser) -> None:
    """Add the choice of monitors as words."""
    parser.add_argument(
        "monitors", nargs="*", type=monitor, metavar="MONITOR", help=f"of: {', '.join(MONITORS)}; default: all"
    )


def chosen(options: argparse.Namespace) -> list[Monitor]:
    """Return the monitors that were chosen, or all."""
    return [MONITORS[name] for name in options.monitors or MONITORS]


def sink(options: argparse.Namespace) -> Sink:
    """Return the sink that the options ask for, on standard output."""
    if options.format == "json":
        return JsonSink(sys.stdout.buffer, events=options.events)
    return TextSink(sys.stdout, sys.stderr, events=options.events)


def score(text: str) -> float:
    """Parse a score."""
    value = float(text)
    if not 0 <= value <= 100:  # noqa: PLR2004 -- the scale.
        message = f"{text} is not between 0 and 100"
        raise argparse.ArgumentTypeError(message)
    return value


_DAYS: Final = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.0}


def budget(text: str) -> float:
    """Parse an alert budget, and return the score from which on alerts keep to it.

    >>> round(budget("1/day")), round(budget("10/day")), round(budget("1/week"))
    (62, 49, 72)
    """
    match = re.fullmatch(r"([0-9]*\.?[0-9]+)/(hour|day|week|month)", text)
    if match is None or not float(match[1]):
        message = f"{text!r} is no budget; write a number per hour, day, week or month, as in 1/day"
        raise argparse.ArgumentTypeError(message)
    return threshold_for(float(match[1]) / _DAYS[match[2]])


def seconds(text: str) -> float:
    """Parse a duration."""
    value = float(text)
    if not 0 < value < float("inf"):
        message = f"{text} is not a positive number of seconds"
        raise argparse.ArgumentTypeError(message)
    return value


def ring_bytes(text: str) -> int:
    """Parse the size of a ring: what every kernel accepts, whatever its page size."""
    value = int(text)
    if value < 1 << 16 or value > 1 << 30 or value & (value - 1):
        message = f"{text} is not a power of two from 65536 to 1073741824"
        raise argparse.ArgumentTypeError(message)
    return value


def instance(text: str) -> str:
    """Parse the name of an instance: it becomes the name of a folder in bpffs, which allows no dots."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", text):
        message = f"{text!r} is not a name of up to 32 letters, digits, _ and -"
        raise argparse.ArgumentTypeError(message)
    return text


def interface(text: str) -> str:
    """Parse the name of a network interface, as long as the kernel allows (IFNAMSIZ)."""
    if not re.fullmatch(r"[^\s/:]{1,15}", text):
        message = f"{text!r} is no name of an interface"
        raise argparse.ArgumentTypeError(message)
    return text


def watching(text: str) -> str:
    """Parse the name of a monitor that can run, on interfaces or without."""
    return text if text in ON_INTERFACES else monitor(text)


def monitor(text: str) -> str:
    """Parse the name of a monitor that needs no interface."""
    if text not in MONITORS:
        message = f"there is no monitor {text!r}; there are: {', '.join(MONITORS)}"
        raise argparse.ArgumentTypeError(message)
    return text
