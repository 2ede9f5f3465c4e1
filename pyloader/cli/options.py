"""Options that several commands share, and the checks of their values."""

import argparse
import sys
from typing import TypeAlias

from pyloader.alerts.alert import MEDIUM_FROM
from pyloader.sinks import JsonSink, Sink, TextSink

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add what decides about the output."""
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: %(default)s")
    parser.add_argument("--events", action="store_true", help="show every record, not only alerts")
    parser.add_argument(
        "--min-score",
        type=score,
        default=MEDIUM_FROM,
        metavar="N",
        help="lowest score that is reported, 0 to 100; default: %(default)g",
    )


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
