"""What is pinned twice is pinned alike, and no file depends on the machine it was written on."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_make_builds_with_the_pins_of_the_wheel() -> None:
    """The Makefile's build environment has exactly what an isolated build gets."""
    assert PROJECT["build-system"]["requires"] == PROJECT["dependency-groups"]["build"]


def test_build_requirements_are_exact() -> None:
    """Every build requirement names one version."""
    assert all("==" in requirement for requirement in PROJECT["build-system"]["requires"])


def test_no_mirror_is_written_down() -> None:
    """No file of the build chain names a host: mirrors come from the machine's configuration."""
    files = [ROOT / "Makefile", ROOT / ".ci/run"]
    files += [path for path in (ROOT / "bpf/build").iterdir() if path.suffix in {".py", ".toml"}]

    assert [path.name for path in files if "://" in path.read_text()] == []
