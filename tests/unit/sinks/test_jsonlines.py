"""One JSON object a line."""

import io
import json
import struct
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pyloader.pipeline import Assessment, Hook, Pipeline, Summary
from pyloader.records import EVENTS, Anomaly, AnyRecord, Doubled, Traffic, text
from pyloader.sinks import JsonSink
from tests.unit.examples import (
    HEADER,
    REVERSE_SHELL,
    alert,
    anomaly_record,
    closed_record,
    credential_record,
    exec_record,
    exit_record,
    fork_record,
    loss_record,
    opened_record,
    padded,
    seen_record,
    source_record,
    subject,
    traffic_record,
)
from tests.unit.strategies import any_records

names = st.binary(max_size=40).map(text)


def _objects(batch: list[Assessment], *, events: bool = False) -> list[dict[str, Any]]:
    """Return the lines that a sink writes, each parsed as JSON."""
    out = io.BytesIO()
    JsonSink(out, events=events).write(batch)
    return [json.loads(line) for line in out.getvalue().decode().split("\n")[:-1]]


def _event(record: AnyRecord) -> dict[str, Any]:
    """Return a record as its JSON object."""
    [shown] = _objects([Assessment(record, None, 22.2)], events=True)
    return shown


def test_alert() -> None:
    """An alert has the keys that scripts depend on."""
    [shown] = _objects([Assessment(exec_record(), None, 62.4, (), (alert(),))])

    assert shown == {
        "type": "alert",
        "id": "0123456789abcdef",
        "timestamp": 1_000_000_000,
        "time": "2023-11-14T22:13:21.000000Z",
        "score": 62.4,
        "severity": "high",
        "domain": "process",
        "summary": "netcat runs a program",
        "subject": {
            "pid": 6864,
            "ppid": 1,
            "start": 1000,
            "comm": "netcat",
            "exe": "/usr/bin/nc",
            "args": ["netcat"],
            "uid": 0,
            "container": "",
        },
        "evidence": [{"code": "sample", "nats": 8.0, "text": "the text of sample", "adds": 8.0}],
        "techniques": ["T1059"],
        "confidence": 1.0,
        "period": 86_400.0,
        "rarity": "about once a day",
        "baseline": {"days": 0.0, "episodes": 0, "learning": True},
        "similar": [],
        "update": 0,
    }


def test_alert_of_a_pipeline() -> None:
    """An alert that was really raised has the same keys."""
    [shown] = _objects([Pipeline(HEADER).assess(REVERSE_SHELL)])
    [made] = _objects([Assessment(exec_record(), None, 62.4, (), (alert(),))])

    assert list(made) == list(shown)
    assert list(made["subject"]) == list(shown["subject"])
    assert list(made["evidence"][0]) == list(shown["evidence"][0])


def test_execution() -> None:
    """An execution tells who, what and how, with its arguments as a list of strings and its flags by name."""
    shown = _event(exec_record(args=b"sh\0-c\0\xff\0", comm=padded(b"sh"), flags=5, stdio=0x654))

    assert (shown["type"], shown["event"], shown["score"]) == ("event", "process_exec", 22.2)
    assert (shown["pid"], shown["ppid"], shown["uid"]) == (100, 1, 1000)
    assert (shown["comm"], shown["exe"], shown["args"]) == ("sh", "/usr/bin/true", ["sh", "-c", "\\xff"])
    assert shown["flags"] == ["setuid", "file_capabilities"]
    assert (shown["stdin"], shown["stdout"], shown["stderr"]) == ("pipe", "unix_socket", "inet_socket")


def test_other_events() -> None:
    """The other records tell their own fields."""
    assert _event(fork_record())["comm"] == "true"
    assert _event(exit_record(signal=9))["signal"] == 9
    assert _event(seen_record())["args"] == ["-bash"]
    assert _event(loss_record())["lost"] == "process_exec"
    assert _event(credential_record(explanation=2))["explanation"] == "set_id"


def test_unknown_explanation() -> None:
    """An explanation from a newer version is shown, too."""
    assert _event(credential_record(explanation=200))["explanation"]


@given(st.lists(any_records, min_size=1, max_size=5))
def test_any_record(records: list[AnyRecord]) -> None:
    """Whatever the records hold, every line is one object in UTF-8, of a known type and event."""
    batch = Pipeline(HEADER, min_score=0).assess_all(records)
    shown = _objects(batch, events=True)

    assert sum(1 + len(assessment.alerts) for assessment in batch) == len(shown)
    assert {one["type"] for one in shown} <= {"event", "alert"}
    assert {one["event"] for one in shown if one["type"] == "event"} <= set(EVENTS.values())


@given(comm=names, summary=names, args=st.lists(names, max_size=3))
def test_any_name(comm: str, summary: str, args: list[str]) -> None:
    """Whatever the names hold, an alert is one object on one line."""
    hostile = alert(summary=summary, subject=subject(comm=comm, args=args))
    [shown] = _objects([Assessment(exec_record(), None, 62.4, (), (hostile,))])

    assert len(args) == len(shown["subject"]["args"])
    assert comm.isascii() <= (comm == shown["subject"]["comm"])


def test_summary_is_the_last_line() -> None:
    """The last line is the summary: counts per event, losses, alerts, and the hooks with what they cannot see."""
    out = io.BytesIO()
    sink = JsonSink(out)
    sink.write([Assessment(exec_record(), None, 62.4, (), (alert(),))])
    hooks = [Hook("process", "exec", "tp/exec", blind_to="scripts"), Hook("process", "exit", "tp_btf/exit")]
    sink.end(
        Summary(records={"process_exec": 1}, lost={"process_fork": 2}, alerts=1, evicted={"pipes": 0}, hooks=hooks)
    )

    assert json.loads(out.getvalue().splitlines()[-1]) == {
        "type": "summary",
        "records": {"process_exec": 1},
        "lost": {"process_fork": 2},
        "alerts": 1,
        "evicted": {"pipes": 0},
        "hooks": [
            {"monitor": "process", "hook": "exec", "rung": "tp/exec", "blind_to": "scripts"},
            {"monitor": "process", "hook": "exit", "rung": "tp_btf/exit"},
        ],
        "grouped": 0,
        "posture": "calm",
        "baseline": {"days": 0.0, "episodes": 0, "learning": True},
        "labels": {},
        "faults": {},
        "workers": [],
    }


def test_events_only_if_wanted() -> None:
    """Without `events` only alerts are written."""
    assert _objects([Assessment(exec_record(), None, 22.2)]) == []


def test_connection() -> None:
    """A connection is shown with its addresses as people write them, its direction and its outcome by name."""
    opened, closed = _event(opened_record(outcome=3, error=110)), _event(closed_record())

    for shown in (opened, closed):
        assert (shown["local_address"], shown["local_port"]) == ("192.0.2.1", 40_000)
        assert (shown["remote_address"], shown["remote_port"]) == ("2001:db8::9", 443)
        assert shown["direction"] == "outbound"
    assert (opened["outcome"], opened["error"]) == ("timed_out", 110)
    assert (closed["sent"], closed["received"]) == (100, 5000)


def test_packets() -> None:
    """What is told of packets has addresses as people write them, anomalies by name, and counts that are not zero."""
    anomaly = _event(anomaly_record(kind=Anomaly.SYN_FIN))
    source = _event(source_record(doubled=Doubled.SYN | Doubled.PORTS, anomaly_kinds=1 << Anomaly.XMAS))
    counts = struct.pack(f">{len(Traffic)}Q", 7, *(0 for _ in range(Traffic.ANOMALY - 1)), 3)
    totals = _event(traffic_record(counts=counts, dispersion=struct.pack(">2I", 4, 3)))

    assert (anomaly["source"], anomaly["destination"]) == ("2001:db8::9", "192.0.2.1")
    assert anomaly["kind"] == "syn_fin"
    assert (source["source"], source["doubled"], source["anomaly_kinds"]) == ("2001:db8::9", ["syn", "ports"], ["xmas"])
    assert (totals["counts"], totals["dispersion"]) == ({"packets": 7, "truncated": 3}, [4, 3])


def test_unknown_anomaly() -> None:
    """An anomaly from a newer version is shown, too."""
    assert _event(anomaly_record(kind=200))["kind"] == "200"


def test_damaged_totals() -> None:
    """Totals that end within a number are shown as far as they go."""
    assert _event(traffic_record(dispersion=bytes(3) + b"\x05" + bytes(3)))["dispersion"] == [5, 0]
