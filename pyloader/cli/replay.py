"""`pyloader replay`: assess a recording."""

import argparse
from pathlib import Path

from pyloader.cli import options
from pyloader.cli.exits import Exit
from pyloader.cli.show import show
from pyloader.sensor import Sensor


def add_to(commands: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("replay", parents=[common], help="assess a recording as the live run did")
    parser.add_argument("file", type=Path, metavar="FILE", help="a recording made with `pyloader run --record`")
    options.add_output(parser)
    parser.add_argument(
        "--state-dir", type=Path, metavar="DIR", help="go on from what is known in this folder, and add to it"
    )
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> Exit:
    """Replay to the end of the recording, or to its damage."""
    replay = Sensor.replay(arguments.file, min_score=arguments.min_score, state_dir=arguments.state_dir)
    with replay as sensor:
        return show(sensor, options.sink(arguments))
