"""What an exception carries."""

import pytest

from pyloader.errors import AttachError, LoadError, PyloaderError, RecordingError, VerifierError


def test_text_and_log() -> None:
    """The text is short, and the long story stands beside it."""
    error = LoadError("the kernel refused it", log="line 1\nline 2\n")

    assert str(error) == "the kernel refused it"
    assert error.log == "line 1\nline 2\n"


@pytest.mark.parametrize("kind", [PyloaderError, *PyloaderError.__subclasses__()])
def test_log_is_empty_unless_given(kind: type[PyloaderError]) -> None:
    """An exception without a long story has an empty log."""
    assert kind("x").log == ""


def test_refused_program() -> None:
    """A refusal names the program and the error number, as far as there are any."""
    error = AttachError("x", program="exec_tp", errno=2)

    assert (error.program, error.errno) == ("exec_tp", 2)
    assert (LoadError("x").program, LoadError("x").errno) == ("", 0)
    assert issubclass(AttachError, LoadError)
    assert issubclass(VerifierError, LoadError)


def test_place_of_damage() -> None:
    """An unreadable recording says where."""
    assert RecordingError("x", offset=17).offset == 17
