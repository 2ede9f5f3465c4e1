"""One line for people."""

import io
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.alerts import NetworkSubject
from pyloader.pipeline import Assessment, Hook, Pipeline, Summary, WorkerSummary
from pyloader.records import AnyRecord, text
from pyloader.sinks import TextSink
from pyloader.sinks.textual import alert_line, event_line, summary_line
from tests.unit.examples import HEADER, alert, exec_record, loss_record, padded, subject
from tests.unit.strategies import any_records

names = st.binary(max_size=40).map(text) | st.text(max_size=40)
QUIET = Summary(records={}, lost={}, alerts=0, evicted={}, hooks=[])


def _written(*batches: list[Assessment], events: bool = False) -> str:
    """Return what a sink writes for these batches."""
    out = io.StringIO()
    sink = TextSink(out, io.StringIO(), events=events)
    for batch in batches:
        sink.write(batch)
    return out.getvalue()


def test_alert_line() -> None:
    """An alert is one line: what kind, who, how much, why."""
    assert alert_line(alert()) == (
        "High threat process event: pid=6864 comm=netcat threat=62 netcat runs a program"
        " (about once a day, still learning)"
    )


@pytest.mark.parametrize(
    ("packets", "shown"),
    [
        (("73.108.22.148", 12882, "26.174.62.42", 3389), "src=73.108.22.148:12882 -> dst=26.174.62.42:3389"),
        (("2001:db8::9", 5, "2001:db8::1", 0), "src=[2001:db8::9]:5 -> dst=2001:db8::1"),
        (("192.0.2.0/24", 0, "", 80), "src=192.0.2.0/24 -> dst=-:80"),
        (("many", 0, "", 0), "src=many -> dst=-"),
    ],
)
def test_alert_about_packets(packets: tuple[str, int, str, int], shown: str) -> None:
    """An alert about packets names both ends instead of a process, as far as they are known."""
    line = alert_line(alert(domain="network", subject=NetworkSubject(*packets, "tcp", 2, [])))

    assert (
        line == f"High threat network event: {shown} threat=62 netcat runs a program (about once a day, still learning)"
    )


def test_alert_in_a_container() -> None:
    """The container stands at the end of the line."""
    shown = alert_line(alert(subject=subject(container="4f5c7a1e9b3d")))

    assert shown.endswith(" (about once a day, still learning) container=4f5c7a1e9b3d")


@pytest.mark.parametrize(("score", "threat"), [(61.9, 61), (62.0, 62), (100.0, 100)])
def test_threat_is_a_whole_number(score: float, threat: int) -> None:
    """The score is cut, not rounded, so that no threat seems to have reached a threshold that it did not."""
    assert f" threat={threat} " in alert_line(alert(score=score))


@pytest.mark.parametrize("comm", ["x threat=1", "a b", " ", "\u2003threat=1", "threat=1", ""])
def test_name_cannot_forge_a_field(comm: str) -> None:
    """A process cannot choose a name that passes for the fields behind it."""
    shown = alert_line(alert(subject=subject(comm=comm)))

    assert re.match(r"High threat process event: pid=6864 comm=\S* threat=62 ", shown)


@given(comm=names, summary=names, container=names)
def test_alert_is_one_visible_line(comm: str, summary: str, container: str) -> None:
    """No name can break the line, drive the terminal, or turn the direction of the writing."""
    shown = alert_line(alert(summary=summary, subject=subject(comm=comm, container=container)))

    assert shown.startswith("High threat process event: pid=6864 comm=")
    assert len(shown.splitlines()) == 1
    assert not {char for char in shown if unicodedata.category(char)[0] == "C"}


@given(st.lists(any_records, min_size=1, max_size=5))
def test_events_are_one_visible_line_each(records: list[AnyRecord]) -> None:
    """With events there is exactly one line for each record and each alert, whatever the records hold."""
    batch = Pipeline(HEADER, min_score=0).assess_all(records)
    shown = _written(batch, events=True)

    assert sum(1 + len(assessment.alerts) for assessment in batch) == len(shown.splitlines())
    assert not {char for char in shown if char != "\n" and unicodedata.category(char)[0] == "C"}


def test_event_line() -> None:
    """An event is its name, its fields in order, and its score."""
    record = exec_record(args=b"sh\0-c\0echo a\0", comm=padded(b"sh"), flags=65, stdio=0x654)
    shown = event_line(Assessment(record, None, 22.2))

    assert shown.startswith("process_exec timestamp=1000000000 pid=100 ppid=1 ")
    assert ' args=[sh -c "echo a"]' in shown
    assert " flags=[setuid script]" in shown
    assert " stdin=pipe stdout=unix_socket stderr=inet_socket" in shown
    assert shown.endswith(" score=22.2")


def test_loss_line() -> None:
    """A loss names the event that was lost."""
    shown = event_line(Assessment(loss_record(), None, 22.2))

    assert shown == "event_loss timestamp=1000000000 lost=process_exec cpu=0 count=3 score=22.2"


def test_events_only_if_wanted() -> None:
    """Without `events` only alerts are written; with them, every record before its alerts."""
    batch = [Assessment(loss_record(), None, 22.2), Assessment(exec_record(), None, 62.4, (), (alert(),))]

    assert [line.split()[0] for line in _written(batch).splitlines()] == ["High"]
    assert [line.split()[0] for line in _written(batch, events=True).splitlines()] == [
        "event_loss",
        "process_exec",
        "High",
    ]


class _Flushed(io.StringIO):
    """A file that remembers what had been written when it was flushed."""

    flushed = ""

    def flush(self) -> None:
        self.flushed = self.getvalue()


def test_batch_leaves_at_once() -> None:
    """What a batch shows has left when `write` returns."""
    out = _Flushed()
    TextSink(out, io.StringIO()).write([Assessment(exec_record(), None, 62.4, (), (alert(),))])

    assert out.flushed == alert_line(alert()) + "\n"


def test_summary_goes_to_the_diagnostics() -> None:
    """The summary stands apart from the alerts."""
    out, diagnostics = io.StringIO(), io.StringIO()
    TextSink(out, diagnostics).end(QUIET)

    assert (out.getvalue(), diagnostics.getvalue()) == ("", "no records; lost: none; 0 alerts\n")


@given(names, names, names)
def test_summary_of_any_hooks(hook: str, rung: str, blind_to: str) -> None:
    """Whatever a recording says of its hooks, the summary is one line of visible text."""
    summary = Summary(records={}, lost={}, alerts=0, evicted={}, hooks=[Hook("x", hook, rung, blind_to=blind_to)])

    assert not {unicodedata.category(char) for char in summary_line(summary)} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_summary_tells_of_workers_that_were_replaced() -> None:
    """Of several workers those are told that were replaced, with what was lost by it."""
    workers = [WorkerSummary(0, records=9), WorkerSummary(1, records=5, restarts=2, gap=7)]
    summary = Summary(records={}, lost={}, alerts=0, evicted={}, hooks=[], workers=workers)

    assert summary_line(summary) == (
        "no records; lost: none; 0 alerts; worker 1 was replaced 2 times, and 7 records left no trace"
    )


def test_summary_line() -> None:
    """The summary tells records, losses, alerts, what was given up, and what hooks cannot see, if there is any such."""
    summary = Summary(
        records={"process_exec": 5, "process_fork": 2},
        lost={"process_fork": 1},
        alerts=3,
        evicted={"processes": 7, "pipes": 0},
        hooks=[
            Hook("process", "exit", "tp/exit"),
            Hook("process", "fork", "tp/fork", blind_to="siblings"),
            Hook("process", "switch", "tp/switch", cost="much"),
        ],
    )

    assert summary_line(summary) == (
        "5 process_exec, 2 process_fork; lost: 1 process_fork; 3 alerts; 7 processes forgotten for want of room"
        "; fork by tp/fork cannot see siblings"
    )


def test_hooks_that_see_nothing() -> None:
    """Hooks that are blind to the same are told together, and those that observe nothing in words of their own."""
    hooks = [
        Hook("memory", "map", "tp/mmap", blind_to="old calls"),
        Hook("memory", "remap", "none", blind_to="remap_file_pages"),
        Hook("memory", "unmap", "tp/munmap", blind_to="old calls"),
        Hook("memory", "protect", "tp/mprotect", blind_to="much"),
        Hook("memory", "break", "kprobe/brk", blind_to="old calls"),
    ]

    assert summary_line(Summary(records={}, lost={}, alerts=0, evicted={}, hooks=hooks)) == (
        "no records; lost: none; 0 alerts"
        "; map, unmap and break cannot see old calls"
        "; remap cannot be observed here: remap_file_pages"
        "; protect by tp/mprotect cannot see much"
    )
