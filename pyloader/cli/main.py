"""Parse the arguments, run the command, turn errors into messages and exit codes."""

import argparse
import contextlib
import io
import logging
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from pyloader.cli import config, doctor, feedback, load, replay, run, score, status, tail, unload
from pyloader.cli.exits import Exit, exit_code
from pyloader.errors import PyloaderError

_COMMANDS = (doctor, run, replay, feedback, load, unload, status, config, tail, score)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code. No traceback reaches the user."""
    _prepare_streams()
    logging.basicConfig(format="pyloader: %(message)s")
    options = _parser().parse_args(arguments)
    try:
        code = int(options.command(options))
        sys.stdout.flush()
    except PyloaderError as error:
        _complain(error, verbose=options.verbose)
        return exit_code(error)
    except KeyboardInterrupt:
        return Exit.DONE
    except BrokenPipeError:
        # The reader has gone, as in `pyloader run | head`.
        _discard_output()
        return Exit.DONE
    except OSError as error:
        sys.stderr.write(f"pyloader: {error.strerror or error}{f': {error.filename}' if error.filename else ''}\n")
        _discard_output()
        return Exit.FAILURE
    return code


def _prepare_streams() -> None:
    """Make the standard streams fit for whatever is to be written, even where they are closed or know no Unicode."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: PTH123, SIM115 -- open to the end.
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: PTH123, SIM115 -- open to the end.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _discard_output() -> None:
    """Send what is still buffered nowhere: Python would complain again when it flushes at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
