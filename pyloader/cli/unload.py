"""`pyloader unload`: remove pinned monitors."""

import argparse
import sys

from pyloader.cli import options
from pyloader.cli.exits import Exit
from pyloader.errors import NotPermittedError
from pyloader.monitors import Pins


def add_to(commands: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "unload",
        parents=[common],
        argument_default=argparse.SUPPRESS,
        help="remove pinned monitors from the kernel",
    )
    options.add_config(parser)
    options.add_monitors(parser)
    options.add_instance(parser)
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> Exit:
    """Remove exactly what `load` pinned."""
    instance = options.settings(arguments).instance
    for monitor in options.chosen(arguments):
        pins = Pins(monitor, instance)
        try:
            removed = pins.unload()
        except PermissionError as error:
            message = f"cannot remove {pins.folder}: {error.strerror}; run as root"
            raise NotPermittedError(message) from error
        sys.stdout.write(f"{monitor.name}: {'removed from' if removed else 'not pinned at'} {pins.folder}\n")
    return Exit.DONE
