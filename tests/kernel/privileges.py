"""Start `pyloader` with fewer privileges, or on a copy of the package that a test may damage."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pyloader

PACKAGE = Path(pyloader.__file__).parent

NOBODY = (
    *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
    # The interpreter may lie where only root may read; this capability loads no program.
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
)


def without(*capabilities: str) -> list[str]:
    """Return the command that takes capabilities from root for good, as a container does."""
    dropped = ",".join(f"-{name}" for name in capabilities)
    return ["setpriv", f"--bounding-set={dropped}", f"--inh-caps={dropped}"]


def copy_of_package(folder: Path) -> Path:
    """Copy the package below `folder`; return where it is."""
    return shutil.copytree(PACKAGE, folder / "pyloader", ignore=shutil.ignore_patterns("__pycache__"))


def pyloader_as(
    prefix: Sequence[str | Path], *arguments: str | Path, package: Path = PACKAGE, **environment: str | Path
) -> "subprocess.CompletedProcess[str]":
    """Run `pyloader` behind another command, to its end. `-m` takes the package beside which it starts."""
    if arguments[0] == "run":
        # Whoever runs on this machine beside the tests is let alone.
        arguments = (*arguments, "--duration", "0.3", "--instance", f"test-{os.getpid()}")
    return subprocess.run(
        [*map(str, prefix), sys.executable, "-m", "pyloader", *map(str, arguments)],
        cwd=package.parent,
        env=os.environ | {name: str(value) for name, value in environment.items()},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
