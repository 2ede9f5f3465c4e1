"""`pyloader run`, with a source in place of the kernel."""

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyloader import NotPermittedError, Sensor
from pyloader.cli import main
from pyloader.errors import LoadError, PyloaderError, UnsupportedError
from pyloader.monitors import MONITORS, Transport
from pyloader.records import AnyRecord
from pyloader.samples import SAMPLE
from pyloader.sources.live import RING_BYTES
from pyloader.state import default_folder
from pyloader.testing import FakeSource
from tests.unit.examples import REVERSE_SHELL, exec_record

Output = pytest.CaptureFixture[str]


class _Patient(FakeSource):
    """A source that is silent until it is stopped."""

    signals: tuple[signal.Signals, ...] = ()

    def read(self, timeout: float | None) -> list[AnyRecord]:
        """Return nothing until `stop`."""
        if "stop" in self.asked:
            raise EOFError
        self.timeouts.append(timeout)
        for number in self.signals:
            os.kill(os.getpid(), number)
        return []


@pytest.fixture(autouse=True)
def _process() -> Iterator[None]:
    """Give this process its signal handlers and its collector back."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
    gc.unfreeze()


@pytest.fixture(name="asked")
def _asked() -> dict[str, object]:
    """Return what the command asked of the sensor."""
    return {}


@pytest.fixture(name="source")
def _source(monkeypatch: pytest.MonkeyPatch, asked: dict[str, object], request: pytest.FixtureRequest) -> FakeSource:
    """Put a source in place of the kernel: that of the test's parameter, or one with an alert."""
    source: FakeSource = getattr(request, "param", FakeSource)([exec_record(), REVERSE_SHELL])

    def sensor(monitors: list[str], *, min_score: float, **options: object) -> Sensor:
        asked.update(monitors=monitors, min_score=min_score)
        asked.update(options)
        return Sensor(source=source, min_score=min_score)

    monkeypatch.setattr("pyloader.cli.run.Sensor", sensor)
    return source


def test_run(capsys: Output, source: FakeSource, asked: dict[str, object]) -> None:
    """A run prints its alerts and ends with code 0 when there is nothing more; then the source is closed."""
    assert main(["run"]) == 0
    out, err = capsys.readouterr()

    assert len(out.splitlines()) == 1
    assert err.splitlines() == [
        f"pyloader: watching with {', '.join(MONITORS)}; stop with Ctrl-C",
        "2 process_exec; lost: none; 1 alerts",
    ]
    assert source.asked == ["start", "close"]
    assert asked == {
        "monitors": list(MONITORS),
        "interfaces": (),
        "min_score": 50.0,
        "record_to": None,
        "btf": None,
        "ring_bytes": RING_BYTES,
        "hooks": None,
        "transport": None,
        "instance": "default",
        "state_dir": default_folder(os.geteuid(), os.environ),
        "needs_state": False,
        "score": True,
        "workers": 1,
        "events": False,
    }


def test_options_reach_the_sensor(source: FakeSource, asked: dict[str, object]) -> None:
    """What the options say reaches the sensor; a monitor that is named twice runs once, and the order is kept."""
    options = {
        "--monitors": "memory,network,memory",
        "--interface": "eth0",
        "--min-score": "70",
        "--workers": "2",
        "--record": "x.rec",
        "--btf": "k.btf",
        "--ring-bytes": "65536",
        "--hooks": "tp",
        "--transport": "perf",
        "--instance": "second-1_B",
        "--state-dir": "known",
    }
    assert main(["run", "--events", *(word for option in options.items() for word in option)]) == 0

    assert source.asked[-1] == "close"
    assert asked == {
        "monitors": ["memory", "network"],
        "interfaces": ("eth0",),
        "min_score": 70.0,
        "record_to": Path("x.rec"),
        "btf": Path("k.btf"),
        "ring_bytes": 65_536,
        "hooks": "tp",
        "transport": Transport.PERF,
        "instance": "second-1_B",
        "state_dir": Path("known"),
        "needs_state": True,
        "score": True,
        "workers": 2,
        "events": True,
    }


@pytest.mark.usefixtures("source")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], "/known/pyloader"),
        (["--instance", "second"], "/known/pyloader-second"),
        (["--instance", "second", "--state-dir", "/mine"], "/mine"),
        (["--no-state"], None),
    ],
)
def test_folder_of_the_state(
    monkeypatch: pytest.MonkeyPatch, asked: dict[str, object], options: list[str], expected: str | None
) -> None:
    """Each instance has a folder of its own unless one is chosen, and there may be none."""
    monkeypatch.setenv("STATE_DIRECTORY", "/known/pyloader")
    assert main(["run", *options]) == 0

    assert asked["state_dir"] == (None if expected is None else Path(expected))


@pytest.mark.usefixtures("source")
def test_interfaces_bring_the_network_monitor_in(capsys: Output, asked: dict[str, object]) -> None:
    """Whoever chooses interfaces and no monitors gets the network monitor beside the others."""
    assert main(["run", "--interface", "eth0", "--interface", "eth1"]) == 0

    assert (asked["monitors"], asked["interfaces"]) == ([*MONITORS, "network"], ("eth0", "eth1"))
    assert f"watching with {', '.join(MONITORS)}, network;" in capsys.readouterr().err


@pytest.mark.usefixtures("source")
def test_network_monitor_without_interfaces(capsys: Output) -> None:
    """Whoever asks for the network monitor without an interface is told that it is idle, and what to do."""
    assert main(["run", "--monitors", "process,network"]) == 0

    idle, watching, _ = capsys.readouterr().err.splitlines()
    assert idle.startswith("pyloader: network is idle: choose an interface with --interface")
    assert watching == "pyloader: watching with process; stop with Ctrl-C"


@pytest.mark.parametrize("source", [_Patient], indirect=True)
def test_duration(source: FakeSource) -> None:
    """A run ends by itself when its duration is over."""
    assert main(["run", "--duration", "0.01"]) == 0

    assert source.asked == ["start", "stop", "close"]
    assert all(timeout is not None and timeout <= 0.01 for timeout in source.timeouts)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("source", [_Patient], indirect=True)
def test_signals(monkeypatch: pytest.MonkeyPatch, source: FakeSource, number: signal.Signals) -> None:
    """SIGINT and SIGTERM end a run in order: code 0, with everything closed."""
    monkeypatch.setattr(_Patient, "signals", (number,))

    assert main(["run"]) == 0
    assert source.asked[-1] == "close"
    assert "stop" in source.asked


class _HungUp(FakeSource):
    """A source during which SIGHUP comes."""

    reads = 0

    def read(self, timeout: float | None) -> list[AnyRecord]:
        """Return an alert more, then nothing."""
        self.timeouts.append(timeout)
        _HungUp.reads += 1
        if _HungUp.reads == 1:
            os.kill(os.getpid(), signal.SIGHUP)
        if _HungUp.reads < 3:
            return [REVERSE_SHELL]
        raise EOFError


@pytest.mark.parametrize("source", [_HungUp], indirect=True)
def test_hang_up(
    monkeypatch: pytest.MonkeyPatch, capsys: Output, source: FakeSource, asked: dict[str, object], tmp_path: Path
) -> None:
    """SIGHUP lets a run read its file again and go on, even if what stands there is wrong by now."""
    monkeypatch.setattr("pyloader.cli.reload.has_terminal", lambda: False)
    file = tmp_path / "settings.toml"
    file.write_text("min_score = 60")
    freeze = gc.freeze

    def spoil() -> None:
        file.write_text("min_scor = 60")
        freeze()

    monkeypatch.setattr("pyloader.cli.run.gc.freeze", spoil)

    assert main(["run", "--config", str(file)]) == 0
    assert asked["min_score"] == 60.0
    assert source.asked[-1] == "close"
    assert (
        f"{file}: min_scor: there is no such key; did you mean min_score?; the settings stay" in capsys.readouterr().err
    )


@pytest.mark.parametrize("error", [NotPermittedError("no"), UnsupportedError("no"), LoadError("no", log="the log\n")])
def test_host_that_cannot(monkeypatch: pytest.MonkeyPatch, capsys: Output, error: PyloaderError) -> None:
    """Where the kernel says no, the command ends with code 3 and shows another way to see pyloader at work."""

    def require(_btf: object) -> None:
        raise error

    monkeypatch.setattr("pyloader.kernel.require", require)

    assert main(["run", "--verbose"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("pyloader: no\n")
    assert f"pyloader replay {SAMPLE}" in err
    assert err.endswith(error.log)
