"""What is new about an execution."""

import random

import pytest

from pyloader.evidence.customs import Customs, service_of, user_of
from pyloader.evidence.programs import Programs
from pyloader.evidence.staging import Staging
from pyloader.host import Process
from pyloader.pipeline import Pipeline
from pyloader.records import CgroupSeen, ExecFlag
from tests.unit.evidence.journey import Journey
from tests.unit.evidence.stage import SECOND, Stage
from tests.unit.examples import HEADER, exec_record

MEDIUM = 50
NEW = {"new_child", "new_in_service", "new_user", "new_arguments"}


def _busy(stage: Stage, parent: Process, runs: int = 5_000, argv: tuple[str, ...] = ("gzip", "access.log")) -> None:
    """Let a process start one program again and again, and a second pass."""
    for _ in range(runs):
        stage.exit(stage.run(argv, parent))
    stage.now += SECOND


def _news(stage: Stage, process: Process) -> list[str]:
    return [item.text for item in stage.items.get(process.label, []) if item.code in NEW]


def test_child_that_a_program_never_had(stage: Stage) -> None:
    """A program that is new among thousands that its parent started is told with their number."""
    cron = stage.run(["cron"])
    _busy(stage, cron, 5_012)
    child = stage.run(["sync"], cron)

    assert _news(stage, child) == [f"sync (pid {child.pid}): none of 5,012 programs that cron started was ever sync"]
    [item] = stage.last
    assert item.context == ("child", "/usr/bin/cron", "/usr/bin/sync")
    assert 3 < item.nats <= 4


def test_child_of_a_shell(stage: Stage) -> None:
    """A shell does what it is told: neither what it starts nor its arguments are new to it."""
    shell = stage.run(["bash"])
    _busy(stage, shell)
    _busy(stage, shell, argv=("sh", "-c", "true"))

    assert not _news(stage, stage.run(["sync"], shell))
    assert not _news(stage, stage.run(["sh", "-e", "/opt/x"], shell))


def test_child_of_a_program_that_starts_anything(stage: Stage) -> None:
    """A program of whose children every third is new may start another."""
    shell = stage.run(["build"])
    for number in range(300):
        for argv in (["ls"], ["cat", "x"], [f"/opt/tool{chr(97 + number % 26)}{number}"]):
            stage.exit(stage.run(argv, shell))
    stage.now += SECOND

    assert not _news(stage, stage.run(["sync"], shell))


def test_program_that_this_host_never_ran_is_rarer(stage: Stage) -> None:
    """Of two programs that are new to a parent the one weighs more that is new to the host as well."""
    cron, shell = stage.run(["cron"]), stage.run(["bash"])
    for name in ("sync", "ls", "cat"):
        _busy(stage, shell, 40, (name,))
    _busy(stage, cron, 400)
    for name in ("sync", "ls", "cat"):
        stage.close(stage.run([name], stage.run(["make"])))
    known = stage.run(["sync"], cron)
    stage.close(known)
    stage.now += 3_600 * SECOND
    unknown = stage.run(["xyzzy"], cron)

    weights = [stage.items[process.label][0].nats for process in (known, unknown)]
    assert weights[0] < weights[1]


def test_user_that_a_program_never_had(stage: Stage) -> None:
    """A program that always ran as one class of user is told when it runs as another."""
    boss = stage.run(["boss"], uid=33)
    _busy(stage, boss)
    child = stage.run(["gzip", "access.log"], boss, uid=0)

    assert _news(stage, child) == [f"gzip (pid {child.pid}): none of 5,000 runs of gzip was ever by root"]


def test_arguments_that_a_program_never_had(stage: Stage) -> None:
    """A program that always got arguments of one form is told when it gets others."""
    boss = stage.run(["boss"])
    _busy(stage, boss, argv=("nginx", "-c", "/etc/nginx.conf"))
    child = stage.run(["nginx", "-c", "/tmp/nginx.conf"], boss)  # noqa: S108 -- judged, not used.

    [text] = _news(stage, child)
    assert text.endswith(": none of 5,000 runs of nginx ever had arguments like -c /tmp")


def test_program_that_a_service_never_ran(stage: Stage) -> None:
    """What is new in a service is told, though its parent, a shell, starts anything elsewhere."""
    shell = stage.run(["bash"])
    for number in range(600):
        stage.exit(stage.run([f"/opt/tool{number}"], shell))
        stage.exit(stage.run(["sync"], shell))
    stage.evidence.assess(CgroupSeen(stage.now, 7, b"/system.slice/backup@a.service"), None, stage.host)
    unit = stage.run(["bash"], cgroup=7)
    for _ in range(1_000):
        stage.exit(stage.run(["rsync", "/srv"], unit, cgroup=7))
    stage.now += SECOND
    child = stage.run(["sync"], unit, cgroup=7)

    codes = [(item.code, item.context[1]) for item in stage.items[child.label]]
    assert codes == [("new_in_service", "backup@.service")]
    assert "programs of backup@.service was ever sync" in stage.items[child.label][0].text


def test_script_is_the_program_that_was_started(stage: Stage) -> None:
    """A new script of a known interpreter is a new child."""
    cron = stage.run(["cron"])
    script = ("python3", "/opt/one.py")
    for _ in range(1_000):
        stage.exit(stage.run(script, cron, filename="/opt/one.py", flags=int(ExecFlag.SCRIPT)))
    stage.now += SECOND
    child = stage.run(["python3", "/opt/two.py"], cron, filename="/opt/two.py", flags=int(ExecFlag.SCRIPT))

    assert "new_child" in stage.codes(child)
    assert "was ever two.py" in _news(stage, child)[0]


def test_it_is_told_once_and_learned_when_it_was_quiet(stage: Stage) -> None:
    """Something new is told once in an episode, and no more after that has closed quietly."""
    cron = stage.run(["cron"])
    _busy(stage, cron)
    told = [bool(_news(stage, stage.run(["sync"], cron))) for _ in range(5)]
    assert told == [True, False, False, False, False]

    stage.close(cron)
    assert not _news(stage, stage.run(["sync"], cron))


def test_it_stays_new_when_it_was_not_quiet(stage: Stage) -> None:
    """The shell of a server is new each time that the server is exploited."""
    nginx = stage.run(["nginx"])
    _busy(stage, nginx)
    for _ in range(5):
        shell = stage.run(["sh", "-c", "id"], nginx)
        assert "new_child" in stage.codes(shell)
        stage.close(shell)
        stage.now += 3_600 * SECOND


def test_nothing_is_learned_while_frozen(stage: Stage) -> None:
    """While baselines are frozen no execution is counted, be it new or a repetition."""
    cron = stage.run(["cron"])
    _busy(stage, cron, 1_000)
    stage.evidence.freeze(stage.now + 1_000 * SECOND)
    _busy(stage, cron, 1_000)
    stage.now += 1_000 * SECOND
    child = stage.run(["sync"], cron)

    assert _news(stage, child) == [f"sync (pid {child.pid}): none of 1,000 programs that cron started was ever sync"]


def test_all_that_is_new_together_raises_no_alert() -> None:
    """A program that is new to its parent and goes, for the first time, where its program never went stays below 50."""
    journey = Journey()
    journey.pipeline = Pipeline(HEADER, min_score=MEDIUM)
    parent = journey.start("/usr/bin/keeper")
    now, chance = 10.0, random.Random(1)
    for _ in range(1_000):
        now += chance.expovariate(0.1)
        pid = journey.start("/usr/bin/fetch", parent, now)
        journey.connect(pid, "198.51.100.20", 443, now)
        journey.listen(pid, 8_080, now)
        journey.end(pid, now)
    journey.codes.clear()
    for number in range(3):
        now += 400
        new = journey.start(f"/usr/bin/other{number}", parent, now)
        pid = journey.start("/usr/bin/fetch", new, now + 1)
        journey.connect(pid, f"203.0.113.{number}", 8_443 + number, now + 2)
        journey.listen(pid, 9_999 + number, now + 3)

    assert {"new_child", "rare_destination", "rare_listener"} & set(journey.codes)
    assert journey.alerts == []


def test_random_commands_are_bounded() -> None:
    """However many different programs run, what is kept of them is bounded, and what was given up is counted."""
    stage = Stage()
    parent = stage.run(["bash"])
    customs = Customs(Staging(), Programs())
    customs.contexts.capacity = 50
    process = stage.run(["x"], parent)
    for number in range(1_000):
        process.exe = f"/opt/{number}"
        customs.placed(CgroupSeen(1, number, b"/x%d.service" % number))
        customs.judge(exec_record(args=b"x\0-%x\0" % number), process)

    assert customs.evicted > 0


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/system.slice/nginx.service", "nginx.service"),
        ("/system.slice/ssh@4-10.0.0.1:22.service", "ssh@.service"),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope", "user@.service"),
        ("/user.slice/user-1000.slice/session-3.scope", ""),
        ("/docker/0123", ""),
        ("", ""),
    ],
)
def test_service_of_a_control_group(path: str, service: str) -> None:
    """A service is named by the last unit on the path, and instances of a template are one service."""
    assert service_of(path) == service


@pytest.mark.parametrize(
    ("uid", "user"), [(0, "root"), (33, "a system account"), (1_000, "a user"), (65_534, "a system account")]
)
def test_class_of_a_user(uid: int, user: str) -> None:
    """Users are root, accounts of the system, and people."""
    assert user_of(uid) == user
