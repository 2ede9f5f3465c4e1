"""`pyloader run`: watch this host."""

import argparse
import gc
import signal
import sys
from pathlib import Path

from pyloader.cli import options
from pyloader.cli.exits import Exit
from pyloader.cli.show import show
from pyloader.errors import LoadError, NotPermittedError, UnsupportedError
from pyloader.monitors import MONITORS
from pyloader.samples import SAMPLE
from pyloader.sensor import Sensor


def add_to(commands: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("run", parents=[common], help="watch this host and print alerts")
    parser.add_argument(
        "--monitors",
        type=_monitors,
        default=list(MONITORS),
        metavar="NAME[,NAME…]",
        help=f"which monitors to run, of: {', '.join(MONITORS)}; default: all",
    )
    options.add_output(parser)
    parser.add_argument("--duration", type=options.seconds, metavar="SECONDS", help="stop after this time")
    parser.add_argument("--record", type=Path, metavar="FILE", help="keep every raw record for `pyloader replay`")
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> Exit:
    """Watch until the duration is over or a signal comes."""
    try:
        sensor = Sensor(arguments.monitors, min_score=arguments.min_score, record_to=arguments.record)
    except (NotPermittedError, UnsupportedError, LoadError) as error:
        message = f"{error}. To see pyloader at work without that: pyloader replay {SAMPLE}"
        raise type(error)(message, log=error.log) from error
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sensor.stop())
    with sensor:
        sys.stderr.write(f"pyloader: watching with {', '.join(arguments.monitors)}; stop with Ctrl-C\n")
        # What was made until now stays to the end: the collector need not look at it again.
        gc.freeze()
        return show(sensor, options.sink(arguments), duration=arguments.duration)


def _monitors(text: str) -> list[str]:
    """Parse a list of monitors."""
    names = text.split(",")
    for name in names:
        if name not in MONITORS:
            message = f"there is no monitor {name!r}; there are: {', '.join(MONITORS)}"
            raise argparse.ArgumentTypeError(message)
    return list(dict.fromkeys(names))
