"""The domains joined: one record may be evidence in several."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pyloader.evidence import Evidence, EvidenceStage, Group
from pyloader.evidence.stage import ACCUSING_NATS
from pyloader.evidence.traits import Trait
from pyloader.host import Host
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
from tests.unit.evidence.stage import Stage
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


def test_lineage_of_an_accused_process(stage: Stage) -> None:
    """Evidence that is not about memory is noted on the process and its children; that of memory alone is not."""
    process = stage.run(["app"], exe="/opt/app")
    stage.protect(process, exposure=1)
    assert not process.traits & Trait.ACCUSED
    relay = stage.run(["nc", "-e", "/bin/sh", "h", "1"], process)

    assert relay.traits & Trait.ACCUSED
    assert stage.run(["app"], relay).traits & Trait.ACCUSED
    assert max(item.nats for item in stage.items[relay.label]) > ACCUSING_NATS


def test_tables_are_told_by_name(stage: Stage) -> None:
    """No two tables of any domains have the same name."""
    evicted = stage.evidence.evicted

    assert {"programs", "downloads", "habits", "storms", "images"} <= set(evicted)
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
