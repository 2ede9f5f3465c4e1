"""How long one waits for pyloader: milliseconds.

Timed:

- import: `python -c 'import pyloader'` and a bare `python -c pass`, from start to end, in turn; shown is what the
  import adds to the bare interpreter of the same round. Compiled modules are there from a run before. msgspec would
  import typing_extensions, which development tools bring along and users do not have: it is made to look absent.
- first event: from the start of `pyloader run --events --format json` to its first `process_exec` line, while `spawn`
  executes something every two milliseconds.
"""

import json
import subprocess
import sys
import time
from collections.abc import Sequence

from tests.bench.figures import Figure, at_most, figure
from tests.bench.programs import program
from tests.bench.watchers import PYLOADER

TITLE = "start-up"
ROUNDS = 15

EXECS_PER_SECOND = 500


_AS_USERS_HAVE_IT = "import sys; sys.modules['typing_extensions'] = None"


def measure(rounds: int) -> list[Figure]:
    """Measure everything in turn."""
    bare, imported, first = [], [], []
    _import(f"{_AS_USERS_HAVE_IT}; import pyloader")
    for _ in range(rounds):
        bare.append(_import(_AS_USERS_HAVE_IT))
        imported.append(_import(f"{_AS_USERS_HAVE_IT}; import pyloader"))
        first.append(_first_event())
    return [
        figure("bare interpreter", "ms", bare),
        figure("import pyloader", "ms", [one - base for one, base in zip(imported, bare, strict=True)], at_most(60)),
        figure("pyloader run to first event", "ms", first, at_most(500)),
    ]


def _import(statement: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-P", "-c", statement], check=True)
    return (time.perf_counter() - begin) * 1e3


def _first_event() -> float:
    spawning = [str(program("spawn")), "1000000000", str(EXECS_PER_SECOND), str(program("nothing"))]
    with subprocess.Popen(spawning) as spawn:
        try:
            return _seconds_to_exec([*PYLOADER, "run", "--no-state", "--events", "--format", "json"]) * 1e3
        finally:
            spawn.kill()


def _seconds_to_exec(command: Sequence[str]) -> float:
    begin = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        try:
            assert run.stdout is not None
            for line in run.stdout:
                if json.loads(line).get("event") == "process_exec":
                    return time.perf_counter() - begin
        finally:
            run.kill()
    message = f"{command} ended without an event"
    raise RuntimeError(message)
