"""Credentials that changed against the kernel's own rules, as after an exploit that overwrites them.

The kernel cannot be exploited on cue, so the tests change the other side of the comparison: the monitor's memory of the
process. To the monitor a root process then looks like one that was an ordinary user a moment ago.
"""

import json
import subprocess
import sys
import time

import pytest

from pyloader import Assessment, Sensor, Subject
from pyloader.monitors import Monitor
from pyloader.records import CredentialChange, Explanation
from pyloader.sources import KernelSource
from tests.kernel.observing import kernel_ids

USER = 1000


def remember_as_user(map_id: int, pid: int) -> None:
    """Make the monitor believe that the process had uid and gid 1000 and no capabilities."""
    key = ["hex", *(f"{byte:02x}" for byte in pid.to_bytes(4, "little"))]
    shown = subprocess.run(
        ["bpftool", "-j", "map", "lookup", "id", str(map_id), "key", *key], check=True, capture_output=True
    )
    known = json.loads(shown.stdout)
    known = known.get("formatted", known)["value"]
    # As `struct credentials` has it: five wide fields, of which none matters here, the six ids, the user namespace.
    value = bytes(5 * 8) + b"".join(word.to_bytes(4, "little") for word in [USER] * 6 + [known["user_namespace"], 0])
    subprocess.run(
        ["bpftool", "map", "update", "id", str(map_id), "key", *key, "value", "hex", *(f"{one:02x}" for one in value)],
        check=True,
    )


def overwritten(rung: Monitor, then: str) -> tuple[int, list[Assessment]]:
    """Run Python as root in the guise of a user, let it go on with `then`; return what is assessed."""
    before = kernel_ids()["map"]
    source = KernelSource([rung])
    with (
        Sensor(source=source) as sensor,
        subprocess.Popen([sys.executable, "-c", f"import os, time; input(); {then}"], stdin=subprocess.PIPE) as process,
    ):
        (map_id,) = [
            one
            for one in kernel_ids()["map"] - before
            if json.loads(subprocess.check_output(["bpftool", "-j", "map", "show", "id", str(one)]))["name"]
            == "credentials"
        ]
        time.sleep(0.1)
        remember_as_user(map_id, process.pid)
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.close()
        process.wait()
        sensor.stop()
        return process.pid, list(sensor)


@pytest.mark.parametrize(
    "then",
    [
        pytest.param("os.execv('/bin/true', ['true'])", id="exec"),
        pytest.param("os.fork() and os.wait()", id="fork"),
        pytest.param("[time.sleep(0.1) for _ in range(30)]", id="scheduler"),
    ],
)
def test_an_unexplained_change_is_an_invariant(rung: Monitor, then: str) -> None:
    """A process that is suddenly root without any permitted way raises an alert of at least 90 at its next step."""
    pid, seen = overwritten(rung, then)

    (change,) = [
        one
        for one in seen
        if isinstance(one.record, CredentialChange)
        and (one.record.pid, one.record.explanation) == (pid, Explanation.NONE)
        and (one.record.old_uid, one.record.uid) == (USER, 0)
    ]
    (alert,) = change.alerts
    assert isinstance(alert.subject, Subject)
    assert pid == alert.subject.pid
    assert alert.score >= 90
