"""The example of the README is a file of settings, and its service starts and reloads a sensor."""

import re
import shlex
from pathlib import Path

import pytest

from pyloader.cli import main
from pyloader.config import NatsSettings, Settings, load


def _block(root: Path, language: str) -> str:
    """Return the one block in a language."""
    [block] = re.findall(rf"^```{language}\n(.*?)^```", (root / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    return str(block)


def test_example(root: Path, tmp_path: Path) -> None:
    """The example is read as it stands."""
    path = tmp_path / "pyloader.toml"
    path.write_text(_block(root, "toml"))
    settings = load({}, {}, 0, path).settings

    assert settings.interfaces == ("eth0",)
    assert round(settings.threshold) == 62
    assert settings.nats == NatsSettings(
        url="tls://nats.example.org",
        stream="SENSORS",
        publish=("alerts", "assessments"),
        min_score=40,
        credentials=tmp_path / "sensor.creds",
    )
    assert settings != Settings()


def test_service(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The service's commands exist: what starts it, what checks the file, and the signal that reloads it."""
    lines = _block(root, "ini").splitlines()
    commands = [shlex.split(line.partition("=")[2]) for line in lines if line.startswith(("ExecStart=", "ExecReload="))]
    path = tmp_path / "pyloader.toml"
    path.write_text(_block(root, "toml"))
    start, check, reload = commands

    assert start[1:3] == ["run", "--config"]
    assert main([*check[1:-1], str(path)]) == 0
    assert "makes sense" in capsys.readouterr().out
    assert reload == ["/bin/kill", "-HUP", "$MAINPID"]
