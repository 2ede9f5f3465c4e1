"""`pyloader doctor`."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest

from pyloader.cli import main
from pyloader.errors import LoadError, NotPermittedError
from pyloader.kernel import Finding
from pyloader.monitors import Monitor, Rung

Command = Callable[..., "subprocess.CompletedProcess[str]"]
Output = pytest.CaptureFixture[str]


class _Loadable:
    """A monitor that loads on its second rung."""

    def __init__(self, monitor: Monitor, *, ring_bytes: int) -> None:
        assert monitor.name == "process"
        assert ring_bytes >= 65_536
        self.rungs = {
            "exec": Rung("tp/exec", "exec_tp", blind_to="scripts"),
            "exit": Rung("tp_btf/exit", "exit_btf", cost="a look-up"),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def _refuse(_monitor: Monitor, *, ring_bytes: int) -> None:
    """Refuse every monitor."""
    message = f"the kernel refused a ring of {ring_bytes} bytes"
    raise LoadError(message)


WELL = (Finding("architecture", "x86_64"), Finding("kernel types", "there"))
ILL = (*WELL, Finding("capabilities", "missing CAP_BPF", NotPermittedError("run as root")))


@pytest.fixture(name="host")
def _host(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Return a host on which all is well."""
    monkeypatch.setattr("pyloader.kernel.findings", lambda: WELL)
    monkeypatch.setattr("pyloader.cli.doctor.LoadedMonitor", _Loadable)
    return monkeypatch


def test_all_is_well(host: pytest.MonkeyPatch, capsys: Output) -> None:
    """Every answer is a line; of each monitor it is told how it loads, what it cannot see and what it costs."""
    assert host is not None
    assert main(["doctor"]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "ok    architecture: x86_64",
        "ok    kernel types: there",
        "ok    monitor process: loads: exec by tp/exec, exit by tp_btf/exit; cannot see scripts; costs a look-up",
    ]


def test_missing_right(host: pytest.MonkeyPatch, capsys: Output) -> None:
    """What is missing is told with what to do, the code is 3, and monitors are not tried in vain."""
    host.setattr("pyloader.kernel.findings", lambda: ILL)
    assert main(["doctor"]) == 3

    assert capsys.readouterr().out.splitlines()[2:] == ["FAIL  capabilities: missing CAP_BPF", "      run as root"]


def test_monitor_that_does_not_load(host: pytest.MonkeyPatch, capsys: Output) -> None:
    """A monitor that the kernel refuses is told with the reason, and the code is 3."""
    host.setattr("pyloader.cli.doctor.LoadedMonitor", _refuse)
    assert main(["doctor"]) == 3

    *_, told, reason = capsys.readouterr().out.splitlines()
    assert told == "FAIL  monitor process: does not load"
    assert reason.startswith("      the kernel refused a ring of ")


@pytest.mark.parametrize(("findings", "ok", "code"), [(WELL, True, 0), (ILL, False, 3)])
def test_report_as_json(
    host: pytest.MonkeyPatch, capsys: Output, findings: tuple[Finding, ...], ok: object, code: int
) -> None:
    """As JSON the report is one object that says whether all is well."""
    host.setattr("pyloader.kernel.findings", lambda: findings)
    assert code == main(["doctor", "--format", "json"])
    [line] = capsys.readouterr().out.splitlines()
    report = json.loads(line)

    assert ok is report["ok"]
    assert len(findings) == len(report["host"])
    assert {"subject", "ok", "detail", "advice"} == set(report["host"][0])


@pytest.mark.parametrize("arguments", [["doctor"], ["doctor", "--format", "json"]])
def test_report_on_a_missing_library(command: Command, tmp_path: Path, arguments: list[str]) -> None:
    """A library that cannot be loaded is something that the report tells, too."""
    missing = tmp_path / "libbpf.so.1"
    done = command(*arguments, environment={**os.environ, "PYLOADER_LIBBPF": str(missing)})

    assert done.returncode == 3
    assert f"cannot load {missing}" in done.stdout
