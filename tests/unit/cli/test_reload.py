"""Settings that are read again while a run goes on."""

import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyloader import Sensor, UsageError
from pyloader.cli import reload
from pyloader.cli.publishing import Publishing
from pyloader.cli.reload import Outlet, Reloader
from pyloader.config import KEYS, NatsSettings, OutputSettings, Settings
from pyloader.errors import ConfigError, LoadError, PyloaderError
from pyloader.sinks import JsonSink, TextSink
from pyloader.testing import FakeSource
from tests.unit.examples import REVERSE_SHELL

Output = pytest.CaptureFixture[str]


class Run:
    """A run whose settings are what a test puts into `settings`, or an error that reading them raises."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.settings: Settings | PyloaderError = Settings()
        self.asked: list[dict[str, object]] = []
        self.fails: PyloaderError | None = None
        self.source = FakeSource([REVERSE_SHELL])
        self.sensor = Sensor(source=self.source)
        monkeypatch.setattr(self.sensor, "reconfigure", self._reconfigure)
        self.outlet = Outlet(TextSink.__new__(TextSink), Publishing(self.sensor, Settings()))
        self.reloader = Reloader(self.sensor, self.outlet, Settings(), self._read)

    def _read(self) -> Settings:
        if isinstance(self.settings, PyloaderError):
            raise self.settings
        return self.settings

    def _reconfigure(self, **changes: object) -> None:
        if self.fails is not None:
            raise self.fails
        self.asked.append(changes)


Reload = Callable[[Settings | PyloaderError], str]


@pytest.fixture(name="run")
def _run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Return a run without a terminal."""
    monkeypatch.setattr(reload, "has_terminal", lambda: False)
    run = Run(monkeypatch)
    yield run
    run.sensor.close()


@pytest.fixture(name="reload")
def _reload(run: Run, capsys: Output) -> Reload:
    """Return what reloads settings and returns what the run says to that."""

    def change(settings: Settings | PyloaderError) -> str:
        run.settings = settings
        # It serves all that was asked before it ends.
        run.reloader = Reloader(run.sensor, run.outlet, run.reloader.settings, run._read)  # noqa: SLF001 -- the test's.
        with run.reloader:
            run.reloader.ask(signal.SIGHUP, None)
        return capsys.readouterr().err

    return change


def test_nothing_changed(run: Run, reload: Reload) -> None:
    """Settings that are the same change nothing."""
    assert reload(Settings()) == "pyloader: the settings were read again: nothing changed\n"
    assert run.asked == []


def test_what_can_change(run: Run, reload: Reload) -> None:
    """The threshold, the monitors and the output change at once, and that is told by key."""
    wanted = Settings(
        min_score=70, monitors=("process",), output=OutputSettings(format="json", events=True), interfaces=()
    )
    said = reload(wanted)

    assert said == (
        "pyloader: the settings were read again: monitors, min_score, output.format, output.events changed\n"
    )
    assert run.asked == [{"monitors": ["process"], "interfaces": ()}, {"min_score": 70.0}, {"events": True}]
    assert isinstance(run.outlet.sink, JsonSink)
    assert run.reloader.settings == wanted


def test_what_cannot_change(run: Run, reload: Reload) -> None:
    """What cannot change while a sensor runs is told by key, and stays, while the rest changes."""
    wanted = Settings(
        min_score=60, instance="other", workers=2, state_dir=Path("/x"), output=OutputSettings(record=Path("/y"))
    )
    said = reload(wanted)

    assert said.splitlines() == [
        "pyloader: the settings were read again: min_score changed",
        "pyloader: what cannot change while pyloader runs stays as it was: workers, state_dir, instance, output.record",
    ]
    assert run.asked == [{"min_score": 60.0}]
    assert run.reloader.settings == Settings(min_score=60)


def test_same_threshold_in_other_words(run: Run, reload: Reload) -> None:
    """Where other words come to the same, the sensor is not disturbed."""
    said = reload(Settings(min_score=50, monitors=("process", "memory", "connection")))

    assert said == "pyloader: the settings were read again: monitors, min_score changed\n"
    assert run.asked == []


@pytest.mark.parametrize("error", [ConfigError("x.toml: min_scor: there is no such key"), UsageError("no")])
def test_wrong_settings(run: Run, reload: Reload, error: PyloaderError) -> None:
    """Settings that make no sense are told, and everything stays as it was."""
    assert reload(error) == f"pyloader: {error}; the settings stay as they were\n"
    assert run.asked == []
    assert run.reloader.settings == Settings()
    assert reload(Settings(min_score=60)) == "pyloader: the settings were read again: min_score changed\n"


def test_monitors_that_are_refused(run: Run, reload: Reload) -> None:
    """If the kernel refuses the new monitors, nothing of the rest is changed either."""
    run.fails = LoadError("the kernel refused it")
    said = reload(Settings(monitors=("process",), min_score=60, output=OutputSettings(format="json")))

    assert said == "pyloader: the kernel refused it; the settings stay as they were\n"
    assert run.reloader.settings == Settings()
    assert isinstance(run.outlet.sink, TextSink)


def test_publishing_that_is_refused(run: Run, reload: Reload) -> None:
    """If publishing cannot be as it is wanted, the monitors are as they were, too."""
    said = reload(Settings(monitors=("process",), nats=NatsSettings(url="ftp://host")))

    assert "is no address of NATS servers" in said
    assert "the settings stay as they were" in said
    assert [changes["monitors"] for changes in run.asked] == [["process"], Settings().watching]
    assert run.reloader.settings == Settings()


@pytest.mark.parametrize(
    ("terminals", "ignored", "stops"),
    [([True, False], False, True), ([True, True], False, False), ([False, False], False, False), ([True], True, False)],
)
def test_terminal_that_has_gone(
    monkeypatch: pytest.MonkeyPatch, run: Run, terminals: list[bool], *, ignored: bool, stops: bool
) -> None:
    """Who was started from a terminal ends with it; a daemon does not, nor who was told to ignore hang-ups."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
    try:
        monkeypatch.setattr(reload, "has_terminal", lambda: terminals.pop(0))
        with Reloader(run.sensor, run.outlet, Settings(), Settings) as reloader:
            reloader.ask()
    finally:
        signal.signal(signal.SIGHUP, before)

    assert ("stop" in run.source.asked) == stops


def test_signal_in_the_midst_of_asking(run: Run) -> None:
    """Signals that come in quick succession are each taken, and none blocks another."""
    done = threading.Event()
    read: list[int] = []

    def reading() -> Settings:
        read.append(1)
        if len(read) == 3:
            done.set()
        return Settings()

    before = signal.getsignal(signal.SIGHUP)
    try:
        with Reloader(run.sensor, run.outlet, Settings(), reading) as reloader:
            signal.signal(signal.SIGHUP, reloader.ask)
            for _ in range(3):
                signal.raise_signal(signal.SIGHUP)
            assert done.wait(10)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_every_key_has_its_place() -> None:
    """Every key is either one that can change or one of which it is told that it cannot."""
    changeable = set(reload._CHANGEABLE)  # noqa: SLF001 -- the list is what is tested.
    fixed = {
        *("score", "workers", "state_dir", "state", "instance", "duration", "hooks", "transport", "ring_bytes", "btf"),
        "output.record",
    }

    assert changeable | fixed == set(KEYS)
    assert not changeable & fixed
