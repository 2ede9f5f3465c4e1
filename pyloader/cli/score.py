"""`pyloader score`: score the records that thin sensors publish."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from pyloader.alerts import Alert
from pyloader.alerts.alert import MEDIUM_FROM
from pyloader.cli import options
from pyloader.cli.exits import Exit
from pyloader.config import Settings
from pyloader.sinks.jsonlines import alert_object, encoded

if TYPE_CHECKING:
    from pyloader.nats.score import ScoreStats


def add_to(commands: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "score",
        parents=[common],
        argument_default=argparse.SUPPRESS,
        help="score records from NATS, shared with all who do the same",
    )
    options.add_config(parser)
    options.add_nats(parser)
    parser.add_argument(
        "--stream",
        dest="nats.stream",
        type=options.of("nats.stream"),
        metavar="NAME",
        help="as --nats-stream: the JetStream stream into which the sensors publish",
    )
    parser.add_argument(
        "--nats-publish",
        dest="nats.publish",
        type=options.of("nats.publish"),
        metavar="WHAT[,WHAT…]",
        help="of: alerts, assessments; default: alerts",
    )
    parser.add_argument(
        "--nats-min-score",
        dest="nats.min_score",
        type=options.of("nats.min_score"),
        metavar="N",
        help=f"lowest score of assessments that are published; default: {MEDIUM_FROM:g}",
    )
    parser.add_argument("--format", dest="output.format", choices=("text", "json"), help="default: text")
    options.add_threshold(parser)
    parser.add_argument(
        "--hosts",
        type=_number,
        default=64,
        metavar="N",
        help="how many hosts this scorer takes at most; default: %(default)s",
    )
    parser.add_argument(
        "--lease",
        type=_lease,
        default=10.0,
        metavar="SECONDS",
        help="after so much silence others take its hosts; of a group the first decides; default: %(default)g",
    )
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> Exit:
    """Score until a signal comes."""
    import asyncio  # noqa: PLC0415 -- it takes longer to import than most commands run.

    settings = options.settings(arguments)
    stats = asyncio.run(_score(settings, arguments.hosts, arguments.lease))
    if settings.output.format == "json":
        sys.stdout.buffer.write(msgspec.json.encode(stats) + b"\n")
        sys.stdout.buffer.flush()
    else:
        done = ", ".join(f"{count} {name}" for name, count in stats.counts.items())
        options.say(f"{stats.hosts} hosts, {done or 'no records'}")
    return Exit.DONE


async def _score(settings: Settings, most: int, lease: float) -> "ScoreStats":
    import asyncio  # noqa: PLC0415 -- see above.

    from pyloader.nats.score import Scorer  # noqa: PLC0415 -- likewise.
    from pyloader.nats.tail_lines import text_line  # noqa: PLC0415 -- likewise.

    is_json = settings.output.format == "json"

    def tell(host: str, alerts: Sequence[Alert]) -> None:
        for alert in alerts:
            if is_json:
                line = encoded(alert_object(alert) | {"host": host})
            else:
                line = text_line(alert, host).encode(errors="backslashreplace")
            sys.stdout.buffer.write(line + b"\n")
        sys.stdout.buffer.flush()

    scorer = Scorer(
        settings.nats,
        name=f"{os.uname().nodename}-{os.getpid()}-{time.time_ns():x}",
        tell=tell,
        warn=options.say,
        min_score=settings.threshold,
        lease=lease,
        most=most,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, scorer.stop)
    await scorer.run()
    return scorer.stats()


def _number(text: str) -> int:
    """Parse how many hosts one scorer takes."""
    value = int(text)
    if value < 1:
        message = f"{text} is not at least 1"
        raise argparse.ArgumentTypeError(message)
    return value


def _lease(text: str) -> float:
    """Parse a lease: shorter ones end while a state is written."""
    value = float(text)
    if not 2 <= value <= 3_600:  # noqa: PLR2004 -- said in the message.
        message = f"{text} is not between 2 and 3600 seconds"
        raise argparse.ArgumentTypeError(message)
    return value
