"""`pyloader tail`: print what sensors and scorers publish."""

import argparse
import re
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from pyloader.cli import options
from pyloader.cli.exits import Exit

if TYPE_CHECKING:
    from pyloader.nats.tail_reader import Sent

_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


def add_to(commands: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "tail", parents=[common], argument_default=argparse.SUPPRESS, help="print what is published on NATS"
    )
    options.add_config(parser)
    options.add_nats(parser)
    parser.add_argument(
        "--stream",
        dest="nats.stream",
        type=options.of("nats.stream"),
        metavar="NAME",
        help="as --nats-stream: print what the stream holds, then what comes; default: what comes from now on",
    )
    parser.add_argument(
        "--since",
        type=_duration,
        default=None,
        metavar="DURATION",
        help="of the stream only what came since then, as in 90s, 15m, 2h or 7d",
    )
    parser.add_argument(
        "--subject",
        default=None,
        metavar="PATTERN",
        help="only these, as in pyloader.web1.> ; default: all that the template can make",
    )
    parser.add_argument("--format", dest="output.format", choices=("text", "json"), help="default: text")
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> Exit:
    """Print until a signal comes or nobody reads any more."""
    import asyncio  # noqa: PLC0415 -- it takes longer to import than most commands run.

    from pyloader.nats.subjects import Template  # noqa: PLC0415 -- likewise.
    from pyloader.nats.tail import Tail  # noqa: PLC0415 -- likewise.
    from pyloader.nats.tail_lines import Lines  # noqa: PLC0415 -- likewise.

    settings = options.settings(arguments)
    is_json = settings.output.format == "json"
    lines = Lines(Template(settings.nats.subject), as_json=is_json)
    output = sys.stdout.buffer

    def show(messages: Sequence["Sent"]) -> None:
        output.write(b"".join(map(lines.line, messages)))
        output.flush()

    async def follow() -> Tail:
        tail = Tail(settings.nats, show=show, warn=options.say, subject=arguments.subject, since=arguments.since)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, tail.stop)
        await tail.run()
        return tail

    tail = asyncio.run(follow())
    counts = dict(sorted(lines.counts.items())) | ({"not shown in time": tail.dropped} if tail.dropped else {})
    if is_json:
        output.write(msgspec.json.encode({"type": "summary", "messages": counts}) + b"\n")
        output.flush()
    else:
        options.say(", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing was published")
    return Exit.DONE


def _duration(text: str) -> float:
    """Parse a duration, in seconds unless a unit follows.

    >>> _duration("90"), _duration("1.5h")
    (90.0, 5400.0)
    """
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smhd]?)", text)
    if match is None or not float(match[1]):
        message = f"{text!r} is no duration; write a number and a unit, as in 90s, 15m, 2h or 7d"
        raise argparse.ArgumentTypeError(message)
    return float(match[1]) * _UNITS[match[2] or "s"]
