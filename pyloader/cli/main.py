"""Parse the arguments, run the command, turn errors into messages and exit codes."""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from pyloader.cli import doctor, load, replay, run, status, unload
from pyloader.cli.exits import Exit, exit_code
from pyloader.errors import PyloaderError

_COMMANDS = (doctor, run, replay, load, unload, status)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code. No traceback reaches the user."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except PyloaderError as error:
        _complain(error, verbose=options.verbose)
        return exit_code(error)
    except KeyboardInterrupt:
        return Exit.DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pyloader", description="A Linux host threat sensor on eBPF.")
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show the version and exit")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--verbose", action="store_true", help="show the long log of libbpf and the verifier")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_to(commands, common)
    return parser


class _ShowVersion(argparse.Action):
    """Looks the version up only when it is asked for: finding and parsing the metadata takes longer than a parse."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib import metadata  # noqa: PLC0415 -- see above.

        sys.stdout.write(f"pyloader {metadata.version('pyloader-ebpf')}\n")
        parser.exit()


def _complain(error: PyloaderError, *, verbose: bool) -> None:
    sys.stderr.write("".join(f"pyloader: {line}\n" for line in (error, *getattr(error, "__notes__", ()))))
    if error.log and verbose:
        sys.stderr.write(error.log)
    elif error.log:
        sys.stderr.write("pyloader: --verbose shows the whole log\n")
