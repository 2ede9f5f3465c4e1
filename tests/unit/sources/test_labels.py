"""The folder by which an analyst's word reaches a sensor that runs."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.errors import StateError
from pyloader.sources.labels import FOLDER, MOST, Inbox, Note, answer_to, leave


def test_a_note_becomes_a_record_and_is_answered(tmp_path: Path) -> None:
    """A note is taken once, as a record of the time of taking, and its answer reaches who left it."""
    inbox = Inbox(tmp_path)
    path = leave(tmp_path, Note("alert-1", 1, "backup"), name="1-1")
    [record] = inbox.take(5)
    inbox.answer(record, "alert-1 is benign")

    assert (record.timestamp, record.alert, record.label, record.note) == (5, b"alert-1", 1, b"backup")
    assert list(inbox.take(6)) == []
    assert answer_to(path, 0.0) == "alert-1 is benign"
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_nobody_answers(tmp_path: Path) -> None:
    """Without a sensor there is no answer, and the note waits for one."""
    path = leave(tmp_path, Note("alert-1", 2), name="1-1")

    assert answer_to(path, 0.0) is None
    assert [one.label for one in Inbox(tmp_path).take(1)] == [2]


def test_notes_are_bounded(tmp_path: Path) -> None:
    """Where too many notes wait, a further one is refused with what to do."""
    for number in range(MOST):
        leave(tmp_path, Note("alert-1", 1), name=f"{number}-1")

    with pytest.raises(StateError, match="start the sensor"):
        leave(tmp_path, Note("alert-1", 1), name=f"{MOST}-1")


def test_no_folder_to_leave_a_note(tmp_path: Path) -> None:
    """Where no sensor has its state, the error names the folder and asks whose it is."""
    with pytest.raises(StateError, match="is it the --state-dir of a sensor"):
        leave(tmp_path / "nowhere", Note("alert-1", 1), name="1-1")


def test_two_notes_on_one_alert_are_two(tmp_path: Path) -> None:
    """Notes on the same alert that come together each get their own answer."""
    inbox = Inbox(tmp_path)
    paths = [leave(tmp_path, Note("alert-1", label), name=f"{label}-1") for label in (1, 2)]
    for record in list(inbox.take(5)):
        inbox.answer(record, str(record.label))

    assert [answer_to(path, 0.0) for path in paths] == ["1", "2"]


@given(st.binary(max_size=60))
def test_what_is_no_note_is_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Whatever lies in the folder under the name of a note is removed, and taken only if it is one."""
    state = tmp_path_factory.mktemp("state")
    inbox = Inbox(state)
    (state / FOLDER / "1-1.label").write_bytes(data)
    (state / FOLDER / "other").write_bytes(data)
    try:
        is_note = bool(msgspec.msgpack.decode(data, type=Note))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        is_note = False

    assert len(list(inbox.take(1))) == is_note
    assert [one.name for one in (state / FOLDER).iterdir()] == ["other"]


def test_what_is_no_note_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A note that cannot be read is told by its name, and those after it are taken."""
    inbox = Inbox(tmp_path)
    (tmp_path / FOLDER / "1-1.label").write_bytes(b"x")
    leave(tmp_path, Note("alert-1", 1), name="2-1")

    assert [one.alert for one in inbox.take(1)] == [b"alert-1"]
    assert "1-1.label was no label of an analyst" in caplog.text
