"""Downloads use the machine's own mirror and say what to do when there is none."""

import subprocess
from pathlib import Path

import pytest

from bpf.build import debian
from bpf.build.failure import BuildError


@pytest.fixture(name="apt_get")
def _apt_get(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of the only program that can be found, an `apt-get` that a test writes."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder / "apt-get"


def _script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def test_mirror_comes_from_apt(apt_get: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The private sources list names the mirror of the running release and the pinned suite, nothing else."""
    monkeypatch.setattr(debian, "_codename", lambda: "bookworm")
    rows = (
        "mirror.test/extras nodistro",
        "mirror.test/debian-security bookworm-security",
        "mirror.test/debian bookworm",
    )
    _script(apt_get, f"test $1 = indextargets && printf '%s\\n' {' '.join(map(repr, rows))}; exit 0")
    debian.fetch(["thing"], "trixie", tmp_path / "out")
    line = (tmp_path / "out/apt/sources.list").read_text()

    assert line.startswith("deb-src ")
    assert line.endswith("mirror.test/debian trixie main\n")


def test_no_mirror_is_an_error(apt_get: Path, tmp_path: Path) -> None:
    """A machine whose apt knows no Debian mirror is told how to provide the archives."""
    _script(apt_get, "exit 0")

    with pytest.raises(BuildError, match=r"knows no mirror.*set PYLOADER_SOURCES"):
        debian.fetch(["thing"], "trixie", tmp_path / "out")


@pytest.mark.usefixtures("apt_get")
def test_no_apt_is_an_error(tmp_path: Path) -> None:
    """A machine without apt is told how to provide the archives."""
    with pytest.raises(BuildError, match=r"apt-get is not on this machine.*set PYLOADER_SOURCES"):
        debian.fetch(["thing"], "trixie", tmp_path / "out")


def test_failed_download_shows_the_complaint(apt_get: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What apt-get complains about is part of the error."""
    monkeypatch.setattr(debian, "_mirror", lambda: "mirror.test/debian")
    _script(apt_get, "echo 'no route to host' >&2; exit 100")

    with pytest.raises(BuildError, match=r"(?s)could not fetch the sources.*no route to host"):
        debian.fetch(["thing"], "trixie", tmp_path / "out")


def test_this_machine_has_a_mirror() -> None:
    """On Debian the mirror is found without package lists, as on a machine that never ran `apt-get update`."""
    targets = ["apt-get", "indextargets", "--format", "$(REPO_URI)"]
    known = subprocess.run(targets, capture_output=True, text=True, check=True).stdout.split()

    assert debian._mirror() in known  # noqa: SLF001 -- the address must appear nowhere else, so no caller returns it
