"""The way of an analyst's word to a sensor that runs: a folder.

`pyloader feedback` leaves a note there, and the sensor takes it into its stream of records as an `AnalystLabel`, since
the verdicts after it depend on it; so it is in a recording, too. What became of it is answered in the same folder.
"""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from pyloader.errors import StateError
from pyloader.records import AnalystLabel

_LOG: Final = logging.getLogger(__name__)

FOLDER: Final = "labels"
"""Where the notes lie, below the folder of the state."""

MOST: Final = 256
"""So many notes are taken at once, and so many may wait."""

LONGEST_NOTE: Final = 512
_LARGEST: Final = 4_096

_NOTE: Final = re.compile(r"[0-9]{1,20}-[0-9]{1,10}\.label")
_ANSWER: Final = ".answer"


class Note(msgspec.Struct, frozen=True):
    """What an analyst says of an alert; `label` as in `AnalystLabel`."""

    alert: str
    label: int
    note: str = ""


class Inbox:
    """The notes below the folder of a sensor's state, as the sensor sees them; what is no note is logged."""

    def __init__(self, state: Path) -> None:
        self._folder = state / FOLDER
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._names: dict[int, str] = {}
        """The names of the notes that wait for an answer, by the time of their record."""

    def take(self, now: int) -> Iterator[AnalystLabel]:
        """Yield the notes that have come, and remove them, as records from this time (ns) on, each with one of its own.

        A folder that cannot be read holds nothing: notes come again when it can.
        """
        try:
            paths = sorted(path for path in self._folder.iterdir() if _NOTE.fullmatch(path.name))
        except OSError:
            return
        for timestamp, path in enumerate(paths[:MOST], now):
            note = _read(path)
            with suppress(OSError):
                path.unlink()
            if note is None:
                _LOG.warning("%s was no label of an analyst", path)
                continue
            self._names[timestamp] = path.name
            yield AnalystLabel(
                timestamp=timestamp,
                label=note.label & 0xFF,
                alert=note.alert.encode("utf-8", "surrogateescape")[:LONGEST_NOTE],
                note=note.note.encode("utf-8", "surrogateescape")[:LONGEST_NOTE],
            )

    def answer(self, record: AnalystLabel, text: str) -> None:
        """Tell whoever wrote a note what became of it."""
        name = self._names.pop(record.timestamp, None)
        if name is not None:
            with suppress(OSError):
                _write(self._folder / (name + _ANSWER), text.encode())
                for old in sorted(self._folder.glob(f"*{_ANSWER}"))[:-MOST]:
                    old.unlink()


def leave(state: Path, note: Note, *, name: str) -> Path:
    """Leave a note for the sensor with this folder of state, and return where. `name` is a number, a dash, a number.

    Raises `StateError` if there is no such folder, or too many notes wait in it.
    """
    folder = state / FOLDER
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        waiting = sum(_NOTE.fullmatch(one.name) is not None for one in folder.iterdir())
        if waiting >= MOST:
            message = f"{waiting} notes wait in {folder} already: start the sensor, which takes them"
            raise StateError(message)
        path = folder / f"{name}.label"
        _write(path, msgspec.msgpack.encode(note))
    except OSError as error:
        message = f"cannot leave a note in {folder}: {error.strerror}; is it the --state-dir of a sensor, and yours?"
        raise StateError(message) from error
    return path


def answer_to(path: Path, patience: float) -> str | None:
    """Return the answer to the note at `path`, and remove it; `None` if none comes within `patience` seconds."""
    answer = path.with_name(path.name + _ANSWER)
    end = time.monotonic() + patience
    while True:
        try:
            text = answer.read_text()
        except OSError:
            if time.monotonic() >= end:
                return None
            time.sleep(0.05)
            continue
        with suppress(OSError):
            answer.unlink()
        return text


def _read(path: Path) -> Note | None:
    try:
        with path.open("rb") as file:
            return msgspec.msgpack.decode(file.read(_LARGEST), type=Note)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _write(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all."""
    new = path.with_name(path.name + ".new")
    new.write_bytes(data)
    new.replace(path)
