"""`pyloader config`: the settings in force, and whether a file makes sense."""

import json
import tomllib
from pathlib import Path

import pytest

from pyloader.cli import main
from pyloader.config import KEYS, Settings, load

Output = pytest.CaptureFixture[str]


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    """Return a file of settings."""
    path = tmp_path / "settings.toml"
    path.write_text("monitors = ['process']\n[nats]\nurl = 'nats://me:secret@host'\n")
    return path


def test_show(capsys: Output, monkeypatch: pytest.MonkeyPatch, file: Path, tmp_path: Path) -> None:
    """What is in force is shown as a file that says the same, each value with its origin."""
    monkeypatch.setenv("PYLOADER_MIN_SCORE", "70")
    assert main(["config", "show", "--config", str(file), "--events", "--nats", "nats://other"]) == 0
    shown = capsys.readouterr().out

    assert f'monitors = ["process"]  # {file}' in shown
    assert "min_score = 70.0  # PYLOADER_MIN_SCORE" in shown
    assert "events = true  # flag" in shown
    assert "workers = 1  # default" in shown
    again = tmp_path / "again.toml"
    again.write_text(shown)
    settings = load({}, {}, 0, again).settings
    assert settings.nats.url == "nats://other"
    assert (settings.monitors, settings.min_score, settings.output.events) == (("process",), 70.0, True)


def test_show_as_json(capsys: Output, file: Path) -> None:
    """As JSON each key has its value and its origin, and a password is not shown."""
    assert main(["config", "show", "--format", "json", "--config", str(file)]) == 0
    shown = json.loads(capsys.readouterr().out)

    assert list(shown) == list(KEYS)
    assert shown["monitors"] == {"value": ["process"], "origin": str(file)}
    assert shown["nats.url"]["value"] == "nats://***@host"
    assert shown["state_dir"] == {"value": None, "origin": "default"}


def test_show_defaults(capsys: Output) -> None:
    """Without a file, variables and flags the defaults are shown, as TOML."""
    assert main(["config", "show"]) == 0
    shown = tomllib.loads(capsys.readouterr().out)

    assert shown["ring_bytes"] == Settings().ring_bytes
    assert "state_dir" not in shown


def test_unknown_variable(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that looks like a setting and is none is told on standard error."""
    monkeypatch.setenv("PYLOADER_MIN_SCOR", "70")
    assert main(["config", "show"]) == 0

    assert capsys.readouterr().err == "pyloader: PYLOADER_MIN_SCOR is set, and is no setting of pyloader\n"


def test_check(capsys: Output, file: Path) -> None:
    """A file that makes sense is told so."""
    assert main(["config", "check", str(file)]) == 0

    assert capsys.readouterr() == (f"{file} makes sense\n", "")


def test_check_without_a_file(capsys: Output, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where there is no file, that is told, and the variables are checked."""
    monkeypatch.delenv("PYLOADER_CONFIG")
    monkeypatch.setattr("pyloader.config.files.SYSTEM", tmp_path / "none")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert main(["config", "check"]) == 0
    assert capsys.readouterr().out == "there is no file of settings\n"

    monkeypatch.setenv("PYLOADER_WORKERS", "17")
    assert main(["config", "check"]) == 2
    assert "PYLOADER_WORKERS: workers: 17 is not a number of workers from 1 to 16" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("min_scor = 1", "min_scor: there is no such key; did you mean min_score?"),
        ("hooks = 'none-such'", "none-such"),
        ("monitors = ['process']\ninterfaces = ['eth0']", "interfaces are for the monitor network, which was left out"),
        ("nats.url = 'ftp://host'", "is no address of NATS servers"),
        ("nats.url = 'nats://host'\nnats.user = 'me'", "give both user and password_file"),
        ("nats.url = 'nats://host'\nnats.subject = '{'", "subject"),
    ],
)
def test_check_of_a_wrong_file(capsys: Output, tmp_path: Path, text: str, message: str) -> None:
    """A file that makes no sense ends with code 2 and what is wrong, be it a key or what no sensor could do."""
    path = tmp_path / "settings.toml"
    path.write_text(text)

    assert main(["config", "check", str(path)]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["config"], ["config", "delete"], ["config", "show", "--min-score", "101"], ["config", "show", "x"]]
)
def test_usage(capsys: Output, arguments: list[str]) -> None:
    """Wrong arguments end with code 2."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert caught.value.code == 2
    assert capsys.readouterr().err


def test_secrets_have_no_place_on_a_command_line(capsys: Output) -> None:
    """An address with a password is refused as a flag, without being repeated, for everybody sees the command line."""
    with pytest.raises(SystemExit) as caught:
        main(["run", "--nats", "nats://me:secret@host"])

    assert caught.value.code == 2
    err = capsys.readouterr().err
    assert "everybody sees the command line" in err
    assert "secret" not in err
