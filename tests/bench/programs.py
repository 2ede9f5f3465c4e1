"""The small C programs beside this file: compiled when first asked for, then run.

They create processes and call the kernel at a cost and a pace that Python could not keep.
"""

import functools
import subprocess
from pathlib import Path

from tests.bench.figures import CannotMeasureError

ROOT = Path(__file__).resolve().parents[2]
_SOURCES = Path(__file__).with_name("programs")
_BUILT = ROOT / ".build" / "bench"


@functools.cache
def program(name: str) -> Path:
    """Compile `programs/NAME.c` and return the executable."""
    built = _BUILT / name
    built.parent.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(["gcc", "-O2", "-Wall", "-static", "-o", built, _SOURCES / f"{name}.c"], check=True)
    except FileNotFoundError as error:
        reason = "needs gcc"
        raise CannotMeasureError(reason) from error
    return built


def elapsed(name: str, *arguments: str | int | Path, cpu: int | None = None) -> int:
    """Run a program to its end, on one CPU if told so, and return the nanoseconds that it prints."""
    command = [str(program(name)), *map(str, arguments)]
    if cpu is not None:
        command = ["taskset", "--cpu-list", str(cpu), *command]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
