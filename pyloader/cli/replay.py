"""`pyloader replay`: assess a recording."""

import argparse
from pathlib import Path

from pyloader.cli import options
from pyloader.cli.exits import Exit
from pyloader.cli.show import show
from pyloader.config import given
from pyloader.sensor import Sensor


def add_to(commands: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "replay", parents=[common], argument_default=argparse.SUPPRESS, help="assess a recording as the live run did"
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a recording made with `pyloader run --record`")
    options.add_output(parser)
    options.add_threshold(parser)
    parser.add_argument(
        "--state-dir", type=Path, metavar="DIR", help="go on from what is known in this folder, and add to it"
    )
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> Exit:
    """Replay to the end of the recording, or to its damage."""
    settings = given(options.flags(arguments))
    replay = Sensor.replay(arguments.file, min_score=settings.threshold, state_dir=settings.state_dir)
    with replay as sensor:
        return show(sensor, options.sink(settings.output))
