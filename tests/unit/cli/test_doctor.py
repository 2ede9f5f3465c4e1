"""`pyloader doctor`."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest

from pyloader.cli import main
from pyloader.errors import LoadError, NotPermittedError, UnsupportedError
from pyloader.kernel import Finding
from pyloader.kernel.interfaces import Interface
from pyloader.monitors import Monitor, Rung, Transport
from pyloader.monitors.climb import Refusal
from pyloader.monitors.ladder import none

Command = Callable[..., "subprocess.CompletedProcess[str]"]
Output = pytest.CaptureFixture[str]

LOG = "libbpf: the long story\n"


class _Loadable:
    """A monitor of which one hook stands on its second rung, and one on none."""

    transport = Transport.RING

    def __init__(self, monitor: Monitor, *, ring_bytes: int, btf: Path | None) -> None:
        assert monitor.name == "sample"
        assert ring_bytes >= 65_536
        assert btf is None or btf == Path("kernel.btf")
        self.rungs = {
            "exec": Rung("tp/exec", "exec_tp", blind_to="scripts"),
            "exit": Rung("tp_btf/exit", "exit_btf", cost="a look-up"),
            "open": none("files"),
        }
        refused = Refusal(Rung("tp_btf/exec", "exec_btf"), LoadError("the kernel refused exec_btf", log=LOG))
        missing = Refusal(Rung("tp/open", "open_tp"), UnsupportedError("this kernel has no files"))
        self.refusals = {"exec": [refused], "exit": [], "open": [missing]}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def _refuse(_monitor: Monitor, *, ring_bytes: int, btf: Path | None) -> None:
    """Refuse every monitor."""
    message = f"the kernel refused a ring of {ring_bytes} bytes with {btf}"
    raise LoadError(message, log=LOG)


WELL = (Finding("kernel", "Linux"), Finding("bpffs", "not mounted", advice="mount it"))
ILL = (*WELL, Finding("capabilities", "CAP_BPF missing", NotPermittedError("use sudo")))


@pytest.fixture(name="host")
def _host(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Return a host on which all is well, with one monitor."""
    monkeypatch.setattr("pyloader.kernel.findings", lambda _btf: WELL)
    monkeypatch.setattr("pyloader.cli.doctor.MONITORS", {"sample": Monitor("sample", "sample.bpf.o", ())})
    monkeypatch.setattr("pyloader.cli.doctor.ON_INTERFACES", {})
    monkeypatch.setattr("pyloader.cli.doctor.LoadedMonitor", _Loadable)
    monkeypatch.setattr("pyloader.cli.doctor.interfaces", lambda _host: [Interface("eth0", "ixgbe", up=True)])
    return monkeypatch


def _report(capsys: Output) -> Any:  # noqa: ANN401 -- JSON.
    """Return the one JSON object that was printed."""
    [line] = capsys.readouterr().out.splitlines()
    return json.loads(line)


@pytest.mark.usefixtures("host")
def test_all_is_well(capsys: Output) -> None:
    """Every answer is a line, with what to do below it; of each hook the rung, its limits, and what was refused."""
    assert main(["doctor"]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "ok       kernel: Linux",
        "advice   bpffs: not mounted",
        "         mount it",
        "ok       interface eth0: ixgbe, up, XDP: no program",
        "ok       monitor sample: runs, with the ring transport",
        "         exec by tp/exec",
        "           cannot see scripts",
        "           not tp_btf/exec: the kernel refused exec_btf",
        "         exit by tp_btf/exit",
        "           costs a look-up",
        "         open cannot be observed here: files",
        "           not tp/open: this kernel has no files",
    ]


def test_every_monitor_is_told(host: pytest.MonkeyPatch, capsys: Output) -> None:
    """Every monitor is tried; if one does not run, the others are told all the same, and the code is 3."""

    def load(monitor: Monitor, *, ring_bytes: int, btf: Path | None) -> _Loadable:
        if monitor.name == "second":
            _refuse(monitor, ring_bytes=ring_bytes, btf=btf)
        return _Loadable(monitor._replace(name="sample"), ring_bytes=ring_bytes, btf=btf)

    three = {name: Monitor(name, "sample.bpf.o", ()) for name in ("first", "second", "third")}
    host.setattr("pyloader.cli.doctor.MONITORS", three)
    host.setattr("pyloader.cli.doctor.ON_INTERFACES", {})
    host.setattr("pyloader.cli.doctor.LoadedMonitor", load)

    assert main(["doctor"]) == 3
    assert [line for line in capsys.readouterr().out.splitlines() if " monitor " in line] == [
        "ok       monitor first: runs, with the ring transport",
        "problem  monitor second: does not run",
        "ok       monitor third: runs, with the ring transport",
    ]


def test_missing_right(host: pytest.MonkeyPatch, capsys: Output) -> None:
    """What is missing is told with what to do, the code is 3, and monitors are not tried in vain."""
    host.setattr("pyloader.kernel.findings", lambda _btf: ILL)
    host.setattr("pyloader.cli.doctor.LoadedMonitor", None)
    assert main(["doctor"]) == 3

    lines = capsys.readouterr().out.splitlines()
    assert lines[3:5] == ["problem  capabilities: CAP_BPF missing", "         use sudo"]
    assert lines[-2] == "problem  monitor sample: not tried"


def test_monitor_that_does_not_load(host: pytest.MonkeyPatch, capsys: Output) -> None:
    """A monitor that the kernel refuses is told with the reason, and the code is 3."""
    host.setattr("pyloader.cli.doctor.LoadedMonitor", _refuse)
    assert main(["doctor"]) == 3

    *_, told, reason = capsys.readouterr().out.splitlines()
    assert told == "problem  monitor sample: does not run"
    assert reason.startswith("         the kernel refused a ring of ")


@pytest.mark.parametrize("loader", [_Loadable, _refuse])
def test_long_log(host: pytest.MonkeyPatch, capsys: Output, loader: object) -> None:
    """What the kernel said of every refused rung is shown with --verbose, and only then."""
    host.setattr("pyloader.cli.doctor.LoadedMonitor", loader)
    main(["doctor"])
    assert capsys.readouterr().err == ""

    main(["doctor", "--verbose"])
    assert capsys.readouterr().err == LOG


def test_types_from_a_file(host: pytest.MonkeyPatch, capsys: Output) -> None:
    """The file of types is judged, and the monitors are tried with it."""
    asked: list[Path] = []

    def findings(btf: Path) -> tuple[Finding, ...]:
        asked.append(btf)
        return WELL

    host.setattr("pyloader.kernel.findings", findings)
    host.setattr("pyloader.cli.doctor.LoadedMonitor", _refuse)
    main(["doctor", "--btf", "kernel.btf"])

    assert asked == [Path("kernel.btf")]
    assert "bytes with kernel.btf" in capsys.readouterr().out


@pytest.mark.parametrize("error", [OSError(1, "Operation not permitted"), ModuleNotFoundError("no pyroute2")])
def test_interfaces_that_cannot_be_listed(host: pytest.MonkeyPatch, capsys: Output, error: Exception) -> None:
    """Where interfaces cannot be listed, that is told, and stops nothing."""

    def refuse(_host: object) -> None:
        raise error

    host.setattr("pyloader.cli.doctor.interfaces", refuse)

    assert main(["doctor"]) == 0
    assert f"advice   interfaces: cannot be listed: {error}" in capsys.readouterr().out


@pytest.mark.usefixtures("host")
def test_report_as_json(capsys: Output) -> None:
    """As JSON the report is one object: host, interfaces, and monitors with their hooks."""
    assert main(["doctor", "--format", "json"]) == 0

    assert _report(capsys) == {
        "ok": True,
        "host": [
            {"subject": "kernel", "level": "ok", "detail": "Linux", "advice": ""},
            {"subject": "bpffs", "level": "advice", "detail": "not mounted", "advice": "mount it"},
        ],
        "interfaces": [
            {
                "name": "eth0",
                "kind": "ixgbe",
                "up": True,
                "xdp": None,
                "xdp_id": None,
                "level": "ok",
                "detail": "ixgbe, up, XDP: no program",
                "advice": "",
            },
        ],
        "monitors": [
            {
                "name": "sample",
                "level": "ok",
                "detail": "runs, with the ring transport",
                "advice": "",
                "transport": "ring",
                "hooks": [
                    {
                        "hook": "exec",
                        "rung": "tp/exec",
                        "blind_to": "scripts",
                        "cost": "",
                        "refused": [{"rung": "tp_btf/exec", "reason": "the kernel refused exec_btf"}],
                    },
                    {"hook": "exit", "rung": "tp_btf/exit", "blind_to": "", "cost": "a look-up", "refused": []},
                    {
                        "hook": "open",
                        "rung": "none",
                        "blind_to": "files",
                        "cost": "",
                        "refused": [{"rung": "tp/open", "reason": "this kernel has no files"}],
                    },
                ],
            }
        ],
    }


def test_problems_as_json(host: pytest.MonkeyPatch, capsys: Output) -> None:
    """As JSON, too, a problem of the host stops every monitor."""
    host.setattr(
        "pyloader.kernel.findings", lambda _btf: (Finding("kernel types", "missing", UnsupportedError("--btf")),)
    )
    assert main(["doctor", "--format", "json"]) == 3

    report = _report(capsys)
    assert report["ok"] is False
    assert report["host"] == [{"subject": "kernel types", "level": "problem", "detail": "missing", "advice": "--btf"}]
    [monitor] = report["monitors"]
    assert (monitor["level"], monitor["transport"], monitor["hooks"]) == ("problem", None, [])


@pytest.mark.parametrize("arguments", [["doctor"], ["doctor", "--format", "json"]])
def test_report_on_a_missing_library(command: Command, tmp_path: Path, arguments: list[str]) -> None:
    """A library that cannot be loaded is something that the report tells, too."""
    missing = tmp_path / "libbpf.so.1"
    done = command(*arguments, environment={**os.environ, "PYLOADER_LIBBPF": str(missing)})

    assert done.returncode == 3
    assert f"the library {missing} is missing" in done.stdout
