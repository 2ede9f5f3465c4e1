"""`pyloader config`: what settings are in force, and whether a file of settings makes sense."""

import argparse
import sys
from pathlib import Path

import msgspec

from pyloader.cli import options
from pyloader.cli.exits import Exit
from pyloader.cli.publishing import Publishing
from pyloader.cli.run import sensor_of
from pyloader.config import KEYS, Configuration, load, plain, written


def add_to(commands: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the commands."""
    parser = commands.add_parser("config", help="show or check the settings of `pyloader run`")
    inner = parser.add_subparsers(required=True, metavar="show|check")
    shower = inner.add_parser(
        "show",
        parents=[common],
        argument_default=argparse.SUPPRESS,
        help="print the settings in force as a file that says the same, and where each comes from",
    )
    shower.add_argument("--format", choices=("toml", "json"), default="toml", help="default: %(default)s")
    options.add_config(shower)
    options.add_events(shower)
    options.add_watching(shower)
    options.add_nats(shower)
    options.add_publishing(shower)
    shower.set_defaults(command=show)
    checker = inner.add_parser("check", parents=[common], help="say what is wrong with a file, if anything is")
    checker.add_argument("file", nargs="?", type=Path, metavar="FILE", help="default: the one that `run` would read")
    checker.set_defaults(command=check)


def show(arguments: argparse.Namespace) -> Exit:
    """Print the settings in force."""
    found = options.configuration(arguments)
    options.warn(found)
    if arguments.format == "json":
        sys.stdout.write(msgspec.json.encode(_described(found)).decode() + "\n")
    else:
        sys.stdout.write(written(found.settings, found.origins))
    return Exit.DONE


def check(arguments: argparse.Namespace) -> Exit:
    """Read the settings, and say which file they are from; what is wrong is raised."""
    found = load({}, *options.user(), arguments.file)
    options.warn(found)
    # Both ask neither the kernel nor a server.
    sensor = sensor_of(found.settings)
    Publishing(sensor, found.settings)
    sensor.close()
    source = "there is no file of settings" if found.file is None else f"{found.file} makes sense"
    sys.stdout.write(f"{source}\n")
    return Exit.DONE


def _described(found: Configuration) -> dict[str, object]:
    """Return the value and the origin of each key."""
    return {key.path: {"value": plain(found.settings, key), "origin": found.origins[key.path]} for key in KEYS.values()}
