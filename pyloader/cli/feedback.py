"""`pyloader feedback`: say what an alert was."""

import argparse
import os
import sys
import time
from typing import Final

from pyloader.cli import options
from pyloader.cli.exits import Exit
from pyloader.scorer import Label
from pyloader.sources.labels import LONGEST_NOTE, Note, answer_to, leave

_PATIENCE: Final = 3.0
"""Seconds to wait for a sensor; it looks every second."""

_LABELS: Final = {label.name.lower(): label for label in (Label.BENIGN, Label.MALICIOUS, Label.NONE)}


def add_to(commands: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "feedback",
        parents=[common],
        argument_default=argparse.SUPPRESS,
        help="say whether an alert was benign or malicious",
    )
    parser.add_argument("alert", metavar="ALERT_ID", help="the `id` of the alert")
    parser.add_argument("label", choices=list(_LABELS), help="what it was; none takes back what was said before")
    parser.add_argument("--note", type=_note, default="", metavar="TEXT", help="why, for those who read it later")
    options.add_config(parser)
    options.add_state_folder(parser)
    options.add_instance(parser)
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> Exit:
    """Leave a note for the sensor, and tell what it says to it."""
    note = Note(arguments.alert, int(_LABELS[arguments.label]), arguments.note)
    folder = options.settings(arguments).state_folder(os.environ)
    path = leave(folder, note, name=f"{time.time_ns()}-{os.getpid()}")
    answer = answer_to(path, _PATIENCE)
    if answer is None:
        sys.stdout.write(f"no sensor answers on {folder}; one will take the label when it runs\n")
        return Exit.DONE
    sys.stdout.write(f"{answer}\n")
    return Exit.DONE if answer.startswith("alert ") else Exit.FAILURE


def _note(text: str) -> str:
    """Parse a note."""
    if len(text.encode("utf-8", "surrogateescape")) > LONGEST_NOTE:
        message = f"a note has at most {LONGEST_NOTE} bytes"
        raise argparse.ArgumentTypeError(message)
    return text
