"""`pyloader tail` and `pyloader score` refuse what makes no sense before they ask any server."""

import pytest

from pyloader.cli.main import main
from pyloader.nats.partition import LEASE, MOST


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["score", "--nats", "nats://127.0.0.1:1"], "name it"),
        (["score", "--nats", "nats://127.0.0.1:1", "--stream", "S", "--nats-subject", "x.{type}"], "the host"),
        (["score", "--nats", "nats://127.0.0.1:1", "--stream", "S", "--nats-subject", "x.a{host}.{type}"], "the host"),
        (["tail", "--nats", "nats://127.0.0.1:1", "--since", "1h"], "a stream only"),
        (["tail", "--nats", "nats://127.0.0.1:1", "--subject", "a b"], "no subject"),
        (["tail", "--nats", "nats://127.0.0.1:1", "--subject", "a..b"], "no subject"),
        (["tail"], "no NATS server is named"),
        (["score", "--stream", "S"], "no NATS server is named"),
    ],
)
def test_what_makes_no_sense(arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A command that cannot work is a mistake in its use, told in one line."""
    code = main(arguments)

    assert code == 2
    assert why in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["tail", "--since", "yesterday"],
        ["tail", "--since", "0"],
        ["tail", "--nats", "nats://user:secret@host"],
        ["score", "--hosts", "0"],
        ["score", "--hosts", "many"],
        ["score", "--lease", "1"],
        ["score", "--lease", "nan"],
    ],
)
def test_values_that_are_none(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Values out of range are refused by the parser, which repeats no secret."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert caught.value.code == 2
    assert "secret" not in capsys.readouterr().err


def test_help_tells_the_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    """The help of score says what holds in the library."""
    with pytest.raises(SystemExit):
        main(["score", "--help"])
    told = " ".join(capsys.readouterr().out.split())

    assert f"at most; default: {MOST}" in told
    assert f"first decides; default: {LEASE:g}" in told
