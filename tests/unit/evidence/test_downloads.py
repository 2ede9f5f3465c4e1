"""Files that are downloaded and then executed."""

# ruff: noqa: S108 - temporary paths are judged, not used

import pytest

from pyloader.evidence.downloads import Downloads, output_file
from tests.unit.evidence.stage import SECOND, Stage


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("curl -o /tmp/x http://h/y", "/tmp/x"),
        ("curl -fsSLo x http://h/y", "x"),
        ("curl --output=x http://h/y", "x"),
        ("curl -O http://h/y.sh?z=1", "y.sh"),
        ("wget http://h/y.sh", "y.sh"),
        ("wget -qO /tmp/x http://h/y", "/tmp/x"),
        ("wget -qO- http://h/y", ""),
        ("curl -fsS -o /dev/null http://h/y", ""),
        ("curl http://h/y", ""),
    ],
)
def test_output_file(line: str, path: str) -> None:
    """The file that a downloader writes is in its options or at the end of the address."""
    assert output_file(tuple(line.split())) == path


def test_drop_in_a_temporary_place(stage: Stage) -> None:
    """A file that is downloaded to /tmp and executed is a dropper at work."""
    stage.run(["wget", "-O", "/tmp/x", "http://h/x"])
    stage.run(["chmod", "+x", "/tmp/x"])
    process = stage.run(["/tmp/x"], exe="/tmp/x")
    assert "drop_executed" in stage.codes(process)
    assert stage.score(process) >= 62


def test_script_that_was_downloaded(stage: Stage) -> None:
    """An installer that is downloaded and run from a working folder is common, and no alarm."""
    stage.run(["curl", "-fsSLO", "https://example.com/install.sh"])
    process = stage.run(["bash", "install.sh"])
    assert stage.codes(process) == {"download_executed"}
    assert stage.score(process) < 50


def test_code_of_a_shell_is_no_file(stage: Stage) -> None:
    """Code for a shell that ends in the name of what was downloaded does not execute it."""
    stage.run(["curl", "-o", "report", "http://h/report"])

    assert stage.codes(stage.run(["sh", "-c", "test -e /srv/report"])) == set()


def test_download_is_forgotten(stage: Stage) -> None:
    """What was downloaded long ago is a program like others."""
    stage.run(["wget", "-O", "/tmp/x", "http://h/x"])
    stage.now += 3_600 * SECOND
    assert "drop_executed" not in stage.codes(stage.run(["/tmp/x"], exe="/tmp/x"))


def test_memory_is_bounded(stage: Stage) -> None:
    """However much is downloaded, only the latest is remembered, and the rest is counted."""
    downloads = Downloads(capacity=4)
    process = stage.run(["bash"])
    for number in range(10):
        downloads.started(process, ("wget", f"http://h/{number}"), stage.now)
    assert downloads.evicted == 6
