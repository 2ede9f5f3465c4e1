"""The command `pyloader` as a user starts it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

PYLOADER = [str(Path(sys.executable).with_name("pyloader"))]
"""The installed command; `python -m` would prefer a package in the working directory."""


class Running(NamedTuple):
    """A live `pyloader run` that has attached its programs, and where its output goes."""

    process: "subprocess.Popen[bytes]"
    output: Path

    def lines(self) -> list[dict[str, Any]]:
        """Return the complete JSON lines that were printed so far."""
        return [json.loads(line) for line in self.output.read_bytes().split(b"\n")[:-1]]

    def alerted(self) -> dict[int, dict[str, Any]]:
        """Return the high alerts by the pid that they name, once the last of them is out."""
        time.sleep(0.3)
        return {alert["subject"]["pid"]: alert for alert in self.alerts()}

    def alerts(self, min_score: float = 62) -> list[dict[str, Any]]:
        """Return the alerts of at least this score."""
        return [line for line in self.lines() if line["type"] == "alert" and line["score"] >= min_score]


@contextmanager
def running(folder: Path, *options: str | Path, namespace: str = "") -> Iterator[Running]:
    """Start `pyloader run --format json`, wait until it watches, and end it with SIGINT unless it has ended.

    `namespace` names the network namespace in which it is started.
    """
    output = folder / "output.json"
    # A name of its own, so that a sensor that watches this machine anyway is not in the way.
    name = [] if "--instance" in options else ["--instance", f"test-{os.getpid()}"]
    # `ip netns exec` would take away what is mounted below /sys, where the tracepoints are.
    within = ["nsenter", f"--net=/run/netns/{namespace}"] if namespace else []
    command = [*within, *PYLOADER, "run", "--format", "json", *name, *map(str, options)]
    with output.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        assert b"watching" in said, said + process.stderr.read()
        try:
            yield Running(process, output)
        finally:
            if process.poll() is None:
                process.send_signal(2)
            process.wait(timeout=30)
