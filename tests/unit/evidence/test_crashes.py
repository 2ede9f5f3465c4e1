"""Single crashes and storms of them."""

import pytest

from pyloader.evidence.storms import CAP, LEAST, Spot, Storm, StormTable
from pyloader.host import Process
from pyloader.records import Area, ExecFlag, Exposure, Protection
from tests.unit.evidence.stage import SECOND, Stage

ALERT = 50
HIGH = 62
SERVER = "/opt/server"
SMASHED = b"*** stack smashing detected ***: terminated"


def _crash_child(stage: Stage, server: Process, fields: dict[str, object], pause: int = SECOND // 10) -> None:
    """Let a forking server have a child that crashes, and wait."""
    child = stage.fork(server)
    stage.fault(child, **fields)
    stage.exit(child, signal=11)
    stage.now += pause


def _crashes_until(stage: Stage, server: Process, fields: dict[str, object]) -> int:
    """Return how many children crash before the server has a high score, at most 20."""
    for number in range(1, 21):
        _crash_child(stage, server, fields)
        if stage.score(server) >= HIGH:
            return number
    return 0


@pytest.mark.parametrize("message", [b"", SMASHED])
def test_brute_force_against_a_forking_server(stage: Stage, message: bytes) -> None:
    """Guessing a canary crashes children at one spot, and the server is named within 20 crashes, but not at once."""
    server = stage.run(["server"], exe=SERVER)

    fields = {"exposure": Exposure.CONNECTED, "message": message}
    assert 5 <= _crashes_until(stage, server, fields) <= 20
    assert "T1190" in {item.technique for item in stage.items[server.label]}


def test_search_for_addresses(stage: Stage) -> None:
    """Guessed addresses crash children at varying places, which is told with the fifth crash."""
    server = stage.run(["server"], exe=SERVER)
    for number in range(1, 6):
        address = 0x7F00_0000_0000 + number * 0x10_0000
        guess = {"ip": address, "address": address, "ip_area": Area.NONE, "file": b"", "exposure": Exposure.CONNECTED}
        _crash_child(stage, server, guess)
        assert (number == 5) == (stage.score(server) >= HIGH)
    text = stage.items[server.label][-1].text
    assert "5 times" in text
    assert "at varying places" in text


def test_storm_is_told_a_few_times(stage: Stage) -> None:
    """A thousand crashes are told as one storm of the server, and not one by one."""
    server = stage.run(["server"], exe=SERVER)
    told = 0
    for _ in range(1_000):
        child = stage.fork(server)
        stage.fault(child, exposure=Exposure.CONNECTED)
        told += len(stage.last)
        stage.exit(child, signal=11)

    assert "crash_storm" in stage.codes(server)
    assert told < 20


@pytest.mark.parametrize("pause", [SECOND // 100, 20 * SECOND])
@pytest.mark.parametrize("message", [b"", SMASHED, b"free(): invalid pointer"])
def test_failing_test_ten_times(stage: Stage, pause: int, message: bytes) -> None:
    """A test that crashes, run ten times from a shell, raises no alert, though its image lies elsewhere every time."""
    shell = stage.run(["bash"])
    for number in range(10):
        process = stage.run(["crash"], shell, exe="/home/me/crash")
        stage.fault(process, ip=0x5500_0000_1234 + number * 0x1000, message=message)
        assert stage.score(process) < ALERT
        stage.exit(process, signal=11)
        stage.now += pause
    assert stage.score(shell) < ALERT


def test_fuzzer(stage: Stage) -> None:
    """Whoever crashes his own programs at varying places crosses no boundary."""
    fuzzer = stage.run(["fuzz"], exe="/home/me/fuzz")
    for number in range(200):
        _crash_child(stage, fuzzer, {"ip": 0x5500_0000_0000 + number * 0x1000}, SECOND // 100)

    assert stage.score(fuzzer) < ALERT


def test_set_uid_program_is_searched(stage: Stage) -> None:
    """A set-uid program that its user crashes at varying places is under attack, without any network."""
    shell = stage.run(["bash"])
    scores = []
    for number in range(10):
        process = stage.run(["tool"], shell, exe="/usr/bin/tool", flags=int(ExecFlag.SETUID), uid=1000, euid=0)
        stage.fault(process, ip=0x5500_0000_0000 + number * 0x1010)
        scores.append(max((item.nats for item in stage.last if item.code == "privileged_crash_storm"), default=0.0))
        stage.exit(process, signal=11)

    assert max(scores) > 7.33


def test_service_that_crashes_as_often_as_it_is_started(stage: Stage) -> None:
    """A service with a bug at one spot, which its manager starts anew each time, is no search."""
    manager = stage.run(["systemd"], exe="/usr/lib/systemd/systemd")
    for number in range(50):
        process = stage.run(["server"], manager, exe=SERVER)
        stage.fault(process, ip=0x5500_0000_1234 + number * 0x1000, exposure=Exposure.LISTENS)
        assert stage.score(process) < HIGH
        stage.exit(process, signal=11)
        stage.now += SECOND


def test_respawn_does_not_reset(stage: Stage) -> None:
    """A server whose children each have a control group of their own is counted by whose children they are."""
    server = stage.run(["server"], exe=SERVER)
    for number in range(20):
        child = stage.fork(server)
        child.cgroup = 1_000 + number
        stage.fault(child, exposure=Exposure.CONNECTED)

    assert stage.score(server) >= HIGH


def test_rare_crashes_are_no_storm(stage: Stage) -> None:
    """A server that loses a child every few hours is not under attack."""
    server = stage.run(["server"], exe=SERVER)
    for number in range(50):
        _crash_child(stage, server, {"exposure": Exposure.LISTENS, "ip": number << 12}, 3 * 3600 * SECOND)

    assert not stage.codes(server)


def test_handled_fault(stage: Stage) -> None:
    """A fault that the process handles, as run times do, is its own affair."""
    process = stage.run(["java"])
    for _ in range(50):
        stage.fault(process, handled=1, exposure=Exposure.LISTENS)

    assert not stage.codes(process)


JUMP = {"ip": 0x7FFF_0000_1000, "address": 0x7FFF_0000_1000}
STACK = {"address_area": Area.STACK, "address_protection": Protection.READ | Protection.WRITE}


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({}, "crashed", "crashed: SIGSEGV at 0x550000001234 in /usr/bin/true"),
        ({"signal": 99}, "crashed", "signal 99"),
        (JUMP | STACK, "jump_to_data", "jumped to memory that is no code: the stack (rw-) at 0x7fff00001000"),
        (JUMP, "jump_to_nothing", "jumped to where no memory is: 0x7fff00001000"),
        ({"ip": 0, "address": 0}, "crashed", "SIGSEGV at 0x0"),
        ({"signal": 6, "message": SMASHED}, "stack_smashed", "overwritten: *** stack smashing detected ***"),
        ({"signal": 6, "message": b"double free or corruption (out)"}, "heap_corrupted", "double free"),
        ({"signal": 6, "message": b"malloc(): corrupted top size"}, "heap_corrupted", "top size"),
        ({"signal": 6, "message": b"free(): invalid pointer"}, "heap_corrupted", "invalid pointer"),
        ({"signal": 6, "message": b"assertion failed"}, "crashed", "SIGABRT"),
    ],
)
def test_kinds_of_crashes(stage: Stage, fields: dict[str, object], code: str, words: str) -> None:
    """A crash is told by what stopped the process and where the processor was sent."""
    process = stage.run(["app"], exe="/opt/app")
    stage.fault(process, **fields)
    weight = stage.last[0].nats
    server = stage.run(["server"], exe=SERVER)
    stage.fault(server, exposure=Exposure.LISTENS, **fields)

    assert stage.codes(process) == stage.codes(server) == {code}
    assert words in stage.last[0].text
    assert weight < stage.last[0].nats < 7.3
    assert stage.score(process) < ALERT


def _storm(times: int, *, one_layout: bool, step: int = 0, file: bytes = b"/x") -> Storm:
    storm = Storm()
    for number in range(times):
        storm.crashed(Spot(file, 0x1234 + number * step), 1 + number, one_layout=one_layout)
    return storm


def test_storms_by_layout() -> None:
    """One spot in ever new layouts is a bug; in one layout it may be a guess; varying spots are a search."""
    bug, guess = _storm(8, one_layout=False, step=0x1000), _storm(8, one_layout=True)
    search, wild = _storm(8, one_layout=True, step=0x1000), _storm(8, one_layout=False, step=0x1000, file=b"")

    assert bug.level < guess.level < search.level
    assert (bug.searches, guess.searches, search.searches, wild.searches) == (False, False, True, True)


def test_storm_drains() -> None:
    """A storm that is over is forgotten, and what was told of it as well."""
    storm = _storm(8, one_layout=True)
    assert storm.tell(8.0, 10)
    storm.crashed(Spot(b"/x", 0x1234), 24 * 3600 * SECOND, one_layout=True)

    assert (storm.count, storm.told) == (1, 0.0)
    assert storm.nats(facing=True, bounded=True) == 0.0


def test_storm_learns_how_often_crashes_come() -> None:
    """Crashes that come as often as they always did make no storm: the usual time is learned while all is calm."""
    storm = Storm()
    for number in range(100):
        storm.crashed(Spot(b"", number << 12), 1 + number * 1_500 * SECOND, one_layout=True)

    assert storm.usual < 2_000 * SECOND
    assert storm.nats(facing=True, bounded=True) == 0.0


def test_storm_is_told_when_it_grows() -> None:
    """A storm is told when it is worth it, when it has grown, and after a while again."""
    storm = Storm()

    assert not storm.tell(LEAST - 0.1, 0)
    assert storm.tell(3.0, 1)
    assert not storm.tell(3.5, 2)
    assert storm.tell(3.8, 3)
    assert storm.tell(CAP, 4)
    assert not storm.tell(CAP, 600 * SECOND)
    assert storm.tell(CAP, 600 * SECOND + 4)


def test_storms_are_bounded() -> None:
    """The storm that was still for longest leaves first, and is counted."""
    table = StormTable(capacity=2)
    kept, other = table.at(("a", 1, 1)), table.at(("b", 1, 1))

    assert table.at(("a", 1, 1)) is kept
    table.at(("c", 1, 1))
    assert table.evicted == 1
    assert table.at(("a", 1, 1)) is kept
    assert table.at(("b", 1, 1)) is not other
