"""Settings change while the sensor runs, and no event is lost or told twice."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pyloader import Assessment, LoadError, Sensor, UsageError
from pyloader.monitors import PROCESS, LoadedMonitor, Monitor, Pins, Transport
from pyloader.records import ConnectionOpened, HookInUse, ProcessExec, ProcessSeen, text
from pyloader.records.codec import decode
from tests.kernel.command import Running, running
from tests.kernel.networks import cable
from tests.kernel.observing import of_type, run
from tests.nats.reading import contents
from tests.nats.server import NatsServer


@contextmanager
def executing(program: Path, folder: Path) -> Iterator[list[int]]:
    """Execute a program again and again, each time with the next number; yield what holds their count in the end."""
    end = folder / "end"
    loop = f"i=0; while [ ! -e {end} ]; do {program} $i; i=$((i + 1)); done; echo $i"
    counted: list[int] = []
    with subprocess.Popen(["sh", "-c", loop], stdout=subprocess.PIPE) as shell:
        try:
            yield counted
        finally:
            end.touch()
            assert shell.stdout is not None
            counted.append(int(shell.stdout.read()))


def reload(sensor: Running, file: Path, settings: str) -> list[str]:
    """Change the settings of a run, and return what it says to that."""
    file.write_text(settings)
    sensor.process.send_signal(1)
    assert sensor.process.stderr is not None
    said = [sensor.process.stderr.readline().decode()]
    if "ring_bytes" in settings:
        said.append(sensor.process.stderr.readline().decode())
    return said


SETTINGS = (
    ("monitors = ['process', 'memory']", "monitors changed"),
    ("monitors = ['process', 'memory']\nalert_budget = '1/day'", "alert_budget changed"),
    ("monitors = ['connection', 'process']\nmin_score = 70", "monitors, min_score, alert_budget changed"),
    ("monitors = ['nothing']", "there is no monitor 'nothing'"),
    ("min_scor = 1", "did you mean min_score?; the settings stay as they were"),
    ("interfaces = ['no-such']", "there is no interface no-such"),
    ("", "monitors, min_score changed"),
    ("ring_bytes = 65536\nhooks = 'tp'", "nothing changed"),
    ("monitors = ['process']", "monitors changed"),
)


def test_reload_loses_no_event(programs: Path, tmp_path: Path) -> None:
    """While settings and monitors change by SIGHUP, for better or worse, every execution is told once."""
    file = tmp_path / "settings.toml"
    file.write_text("monitors = ['process']")
    with (
        running(tmp_path, "--events", "--config", file) as sensor,
        executing(programs / "nothing", tmp_path) as counted,
    ):
        for settings, expected in SETTINGS * 3:
            said = reload(sensor, file, settings)
            assert expected in said[0]
            if len(said) > 1:
                assert said[1].endswith("stays as it was: hooks, ring_bytes\n")
    lines = sensor.lines()
    executed = [
        int(line["args"][1])
        for line in lines
        if line.get("event") == "process_exec" and line["args"][0] == str(programs / "nothing")
    ]

    assert counted[0] > 500
    assert executed == list(range(counted[0]))
    assert lines[-1]["lost"] == {}


def test_reload_publishes_every_event(programs: Path, tmp_path: Path) -> None:
    """While a thin host publishes records, and where and how changes by SIGHUP, each execution is published once."""
    file = tmp_path / "settings.toml"
    folder = tmp_path / "nats"
    folder.mkdir()
    with NatsServer(folder) as server:
        common = (
            f"monitors = ['process']\nscore = false\nstate_dir = 'state'\n[nats]\nurl = '{server.url}'\nstream = 'S'\n"
        )
        changes = ("subject = 'pyloader.{host}.{domain}.{type}.x'", "spool_bytes = 1_000_000", "tls_ca = 'none'", "")
        file.write_text(common)
        with (
            running(tmp_path, "--config", file) as sensor,
            executing(programs / "nothing", tmp_path) as counted,
        ):
            said = [reload(sensor, file, common + change)[0] for change in changes * 30]
        found = contents(server, "S")
    records = [decode(one.data) for one in found if one.subject.endswith(".record")]
    told = [one.args for one in records if isinstance(one, ProcessExec) and text(one.exe) == str(programs / "nothing")]

    assert counted[0] > 500
    assert [int(args.split(b"\0")[1]) for args in told] == list(range(counted[0]))
    assert [" changed" in one for one in said] == [False, True, False, True] * 30
    assert sensor.lines()[-1]["nats"]["published"] >= len(records)


def hooks(assessments: list[Assessment]) -> dict[bytes, set[bool]]:
    """Return for each monitor whether its hooks held last, all of them."""
    last = {(one.monitor, one.hook): one.rung != b"none" for one in of_type(HookInUse, assessments)}
    held: dict[bytes, set[bool]] = {}
    for (monitor, _), holds in last.items():
        held.setdefault(monitor, set()).add(holds)
    return held


def test_what_was_seen_before_a_monitor_goes_is_told(programs: Path, tmp_path: Path, transport: Transport) -> None:
    """Whatever a monitor saw until it was switched off is told once, and nothing after that; a recording holds it."""
    recording = tmp_path / "x.rec"
    with subprocess.Popen([programs / "serve"], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        with Sensor(["process", "connection"], transport=transport, record_to=recording) as sensor:
            seen = sensor.subscribe(capacity=1_000_000)
            sensor.start()
            for _ in range(3):
                run([programs / "connect", str(port), "500"])
                sensor.reconfigure(monitors=["process"])
                run([programs / "connect", str(port), "50"])
                sensor.reconfigure(monitors=["connection", "process"])
            sensor.stop()
            assert sensor.wait(30)
            assessments = list(seen.iter(0))
        server.terminate()
    with Sensor.replay(recording) as again:
        replayed = list(again)

    clients = Counter(one.pid for one in of_type(ConnectionOpened, assessments) if one.remote_port == port)
    assert sorted(clients.values()) == [500, 500, 500]
    assert hooks(assessments) == {b"process": {True}, b"connection": {True}}
    assert [one.record for one in replayed] == [one.record for one in assessments]
    assert [one.score for one in replayed] == [one.score for one in assessments]


def test_pinned_monitor_that_goes_and_comes_back(programs: Path) -> None:
    """A pinned monitor works on while it is not watched, and what it saw then is told once when it is again."""
    pins = Pins(PROCESS, "pyloader-test")
    assert pins.load(ring_bytes=1 << 20)
    try:
        with Sensor(["process"], instance="pyloader-test") as sensor:
            seen = sensor.subscribe(capacity=1_000_000)
            sensor.start()
            for number, monitors in enumerate((["connection"], ["process"], ["connection"], ["process"], ["memory"])):
                run([programs / "nothing", str(number)])
                sensor.reconfigure(monitors=monitors)
            run([programs / "nothing", "unread"])
            sensor.stop()
            assert sensor.wait(30)
            assessments = list(seen.iter(0))
        with Sensor(["process"], instance="pyloader-test") as sensor:
            sensor.stop()
            later = list(sensor)
    finally:
        pins.unload()

    assert numbers(assessments, programs / "nothing") == [b"0", b"1", b"2", b"3", b"4"]
    assert numbers(later, programs / "nothing") == [b"unread"]


def numbers(assessments: list[Assessment], program: Path) -> list[bytes]:
    """Return the arguments with which a program was executed."""
    return [one.args.split(b"\0")[1] for one in of_type(ProcessExec, assessments) if text(one.exe) == str(program)]


def test_process_monitor_that_comes_later(programs: Path) -> None:
    """A process monitor that is switched on while the sensor runs tells of the processes that are there by then."""
    with Sensor(["connection"]) as sensor:
        seen = sensor.subscribe(capacity=1_000_000)
        sensor.start()
        with subprocess.Popen(["sleep", "60"]) as sleeper:
            sensor.reconfigure(monitors=["process"])
            run([programs / "nothing", "now"])
            sensor.reconfigure(monitors=["connection"])
            run([programs / "nothing", "later"])
            sleeper.terminate()
        sensor.stop()
        assert sensor.wait(30)
        assessments = list(seen.iter(0))

    assert sleeper.pid in {one.pid for one in of_type(ProcessSeen, assessments)}
    assert numbers(assessments, programs / "nothing") == [b"now"]
    assert hooks(assessments)[b"process"] == {False}


def test_what_fails_changes_nothing(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If one of the new monitors cannot be had, everything stays as it was, and nothing is left behind."""
    refused = "the kernel refused it"

    def load(wanted: Monitor, *, ring_bytes: int, transport: Transport | None, btf: Path | None) -> LoadedMonitor:
        if wanted.name == "connection":
            raise LoadError(refused)
        return LoadedMonitor(wanted, ring_bytes=ring_bytes, transport=transport, btf=btf)

    with Sensor(["process"]) as sensor:
        seen = sensor.subscribe(capacity=1_000_000)
        sensor.start()
        monkeypatch.setattr("pyloader.sources.live.LoadedMonitor", load)
        with pytest.raises(LoadError, match=refused):
            sensor.reconfigure(monitors=["memory", "connection"])
        with pytest.raises(UsageError, match="there is no monitor 'nothing'"):
            sensor.reconfigure(monitors=["nothing"])
        run([programs / "nothing", "still"])
        sensor.stop()
        assert sensor.wait(30)
        assessments = list(seen.iter(0))

    assert numbers(assessments, programs / "nothing") == [b"still"]
    assert hooks(assessments) == {b"process": {True}}


def watched(namespace: str) -> set[str]:
    """Return the interfaces of a network namespace that have an XDP program."""
    command = ["ip", "-n", namespace, "-json", "-details", "link", "show"]
    links = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return {link["ifname"] for link in links if "xdp" in link}


def test_interfaces_change(tmp_path: Path) -> None:
    """Interfaces come and go by SIGHUP; what is wrong with one of them changes nothing."""
    file = tmp_path / "settings.toml"
    file.write_text("monitors = ['process', 'network']\ninterfaces = ['veth1']")
    with cable() as wire, running(tmp_path, "--events", "--config", file, namespace=wire.inside) as sensor:
        states = [watched(wire.inside)]
        for chosen in (["lo", "veth1"], ["lo", "no-such"], ["lo"], [], ["veth1"]):
            reload(sensor, file, f"monitors = ['process', 'network']\ninterfaces = {chosen}")
            states.append(watched(wire.inside))
        sensor.process.send_signal(2)
        sensor.process.wait(30)
        after = watched(wire.inside)
    held = [
        (line["hook"], line["rung"] != "none")
        for line in sensor.lines()
        if line.get("event") == "hook_in_use" and line["monitor"] == "network"
    ]

    assert states == [{"veth1"}, {"lo", "veth1"}, {"lo", "veth1"}, {"lo"}, set(), {"veth1"}]
    assert after == set()
    assert held == [
        ("packets veth1", True),
        ("packets lo", True),
        ("packets veth1", False),
        ("packets lo", False),
        ("packets veth1", True),
    ]
