"""`pyloader load`: put monitors to work for good, whether or not anybody reads them."""

import argparse
import sys

from pyloader import kernel
from pyloader.cli import options
from pyloader.cli.exits import Exit
from pyloader.monitors import Pins


def add_to(commands: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "load",
        parents=[common],
        argument_default=argparse.SUPPRESS,
        help="pin monitors under bpffs, or upgrade what is pinned",
    )
    options.add_config(parser)
    options.add_monitors(parser)
    options.add_instance(parser)
    options.add_ring_bytes(parser)
    options.add_btf(parser)
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> Exit:
    """Load, attach and pin; what is pinned already is upgraded if it is of another version."""
    settings = options.settings(arguments)
    kernel.require(settings.btf)
    for monitor in options.chosen(arguments):
        pins = Pins(monitor, settings.instance)
        changed = pins.load(ring_bytes=settings.ring_bytes, btf=settings.btf)
        sys.stdout.write(f"{monitor.name}: {'pinned at' if changed else 'already pinned at'} {pins.folder}\n")
    return Exit.DONE
