"""When an alert is raised, and what it says."""

import math

import pytest

from pyloader.alerts import Alert, AlertPolicy, NetworkSubject, Severity, Subject
from pyloader.alerts.policy import EPISODE_GAP_NS
from pyloader.evidence import Evidence, Group
from pyloader.host import Activity, Process, Source
from pyloader.scorer import Label, Scorer, nats_for
from tests.unit.examples import HEADER, HOME, MINUTE, PEER, SECOND, evidence, process


class _Stream:
    """A scorer and a policy, as a pipeline joins them."""

    def __init__(self, *, threshold: float = 50.0, capacity: int = 100) -> None:
        self.scorer = Scorer()
        self.policy = AlertPolicy(
            self.scorer.journal,
            boot_id=HEADER.boot_id,
            realtime_offset=HEADER.realtime_offset,
            threshold=threshold,
            capacity=capacity,
        )

    def take(self, now: int, *items: Evidence) -> list[Alert]:
        """Take in evidence and return the alerts that it raises."""
        alerts = []
        for verdict in self.scorer.weigh(items, now):
            alert = self.policy.consider(verdict, now)
            if alert is not None:
                self.scorer.alerted(verdict, alert.id)
                alerts.append(alert)
        return alerts

    def score(self, now: int, points: float, about: Process) -> list[Alert]:
        """Take in evidence that gives a calm process this score."""
        return self.take(now, evidence(nats_for(points) + 0.005, about=about))


def test_alert_tells_everything() -> None:
    """An alert names its process, its score, and the reasons with their present weights, the strongest first."""
    suspect = process()
    suspect.exe, suspect.args, suspect.uid, suspect.container = "/usr/bin/true", ("true", "-v"), 33, "web"

    [alert] = _Stream().take(
        SECOND, evidence(8.0, about=suspect, code="strong"), evidence(2.123456, about=suspect, code="weak")
    )

    assert (alert.score, alert.severity, alert.domain, alert.confidence) == (68.5, Severity.HIGH, "process", 1.0)
    assert alert.summary == "the text of strong; the text of weak"
    assert [(one.code, one.nats, one.text) for one in alert.evidence] == [
        ("strong", 8.0, "the text of strong"),
        ("weak", 2.12, "the text of weak"),
    ]
    assert alert.techniques == ["T1059"]
    subject = alert.subject
    assert isinstance(subject, Subject)
    assert (subject.pid, subject.ppid, subject.start, subject.comm) == (100, 1, 1000, "true")
    assert (subject.exe, subject.args, subject.uid, subject.container) == ("/usr/bin/true", ["true", "-v"], 33, "web")


@pytest.mark.parametrize(
    ("group", "domain"),
    [
        (Group.INBOUND, "network"),
        (Group.OUTBOUND, "connection"),
        (Group.PROCESS, "process"),
        (Group.CREDENTIALS, "process"),
        (Group.MEMORY, "memory"),
        (Group.SEQUENCE, "process"),
    ],
)
def test_domain(group: Group, domain: str) -> None:
    """The domain of an alert is that of its strongest evidence."""
    weaker = Group.PROCESS if group is Group.MEMORY else Group.MEMORY
    suspect = process()
    [alert] = _Stream().take(
        SECOND,
        evidence(7.0, about=suspect, code="weak", group=weaker),
        evidence(8.0, about=suspect, code="strong", group=group),
    )

    assert alert.domain == domain


def test_alert_about_packets() -> None:
    """What a source does has an episode, a subject and the domain of its own, whatever its strongest evidence."""
    source = Source(PEER, 128)
    scan, flood = source.activity("tcp-scan"), source.activity("syn-flood")
    scan.source_port, scan.destination, scan.destination_port, scan.protocol, scan.ports = 5, HOME, 22, 6, {80, 22}
    stream = _Stream()

    [first] = stream.take(SECOND, evidence(8.0, about=scan, group=Group.SEQUENCE))
    [second] = stream.take(SECOND, evidence(8.0, about=flood, group=Group.INBOUND))

    assert (first.domain, second.domain) == ("network", "network")
    assert first.id != second.id
    assert first.subject == NetworkSubject("2001:db8::9", 5, "192.0.2.1", 22, "tcp", 0, [22, 80])
    assert second.subject == NetworkSubject("2001:db8::9", 0, "", 0, "0", 0, [])


def test_alert_about_this_host() -> None:
    """What many do to this host names no source, and a network is named with its length."""
    [many] = _Stream().take(SECOND, evidence(8.0, about=Activity("syn-flood")))
    network = Source(HOME[:15] + b"\0", 120)
    [few] = _Stream().take(SECOND, evidence(8.0, about=network.activity("tcp-scan")))

    assert [one.subject.src for one in (many, few) if isinstance(one.subject, NetworkSubject)] == [
        "many",
        "192.0.2.0/24",
    ]


def test_summary_is_short() -> None:
    """The summary has the three strongest reasons; the others stand in the evidence."""
    suspect = process()
    [alert] = _Stream().take(SECOND, *(evidence(float(nats), code=str(nats), about=suspect) for nats in range(1, 10)))

    assert alert.summary == "the text of 9; the text of 8; the text of 7"
    assert len(alert.evidence) == 9


@pytest.mark.parametrize(
    ("score", "severity"),
    [(50.0, "medium"), (61.9, "medium"), (62.0, "high"), (79.9, "high"), (80.0, "critical"), (100.0, "critical")],
)
def test_severity(score: float, severity: str) -> None:
    """An alert is medium from 50 points, high from 62, critical from 80."""
    [alert] = _Stream().score(SECOND, score, process())

    assert (score, severity) == (alert.score, alert.severity)


def test_low_scores_can_be_asked_for() -> None:
    """With a lower threshold there are alerts of low severity."""
    [alert] = _Stream(threshold=30.0).score(SECOND, 40.0, process())

    assert alert.severity is Severity.LOW


@pytest.mark.parametrize(("score", "alerts"), [(69.9, 0), (70.0, 1)])
def test_threshold(score: float, alerts: int) -> None:
    """There is an alert from the threshold on, and none below it."""
    assert alerts == len(_Stream(threshold=70.0).score(SECOND, score, process()))


def test_one_alert_per_episode() -> None:
    """More evidence of the same severity raises no second alert."""
    stream, suspect = _Stream(), process()

    assert len(stream.score(SECOND, 62.0, suspect)) == 1
    for step in range(2, 40):
        assert stream.score(step * MINUTE, 63.0, suspect) == []


def test_update_when_severity_rises() -> None:
    """A rise of the severity is told under the same id with the next number, and a fall is not."""
    stream, suspect = _Stream(), process()
    alerts = [
        alert
        for step, points in enumerate((50.0, 62.0, 55.0, 64.0, 80.0, 62.0, 90.0))
        for alert in stream.score(SECOND + step, points, suspect)
    ]

    assert [(alert.update, alert.severity) for alert in alerts] == [(0, "medium"), (1, "high"), (2, "critical")]
    assert len({alert.id for alert in alerts}) == 1


@pytest.mark.parametrize(("gap", "alerts"), [(EPISODE_GAP_NS, 0), (EPISODE_GAP_NS + 1, 1)])
def test_new_episode_after_silence(gap: int, alerts: int) -> None:
    """After ten minutes without evidence the next is a new episode, with an alert and an id of its own."""
    stream, suspect = _Stream(), process()
    [first] = stream.score(SECOND, 62.0, suspect)

    later = stream.score(SECOND + gap, 62.0, suspect)

    assert alerts == len(later)
    assert all(alert.id != first.id and alert.update == 0 for alert in later)


def test_weak_evidence_prolongs_the_episode() -> None:
    """An episode ends when there was no evidence, however weak, for ten minutes."""
    stream, suspect = _Stream(threshold=70.0), process()
    stream.score(SECOND, 70.0, suspect)
    for minute in (9, 18):
        assert stream.take(SECOND + minute * MINUTE, evidence(0.5, code="weak", about=suspect)) == []

    assert stream.score(SECOND + 27 * MINUTE, 70.0, suspect) == []


def test_processes_have_their_own_alerts() -> None:
    """Two processes have two alerts, even if one has the pid that the other had."""
    stream = _Stream()
    alerts = [
        alert
        for suspect in (process(1, 10), process(2, 10), process(1, 11))
        for alert in stream.score(SECOND, 62.0, suspect)
    ]

    assert len(alerts) == len({alert.id for alert in alerts}) == 3


def test_alert_is_repeatable() -> None:
    """The same evidence gives the same alert, id and date included."""
    [one], [other] = (_Stream().score(SECOND, 62.0, process()) for _ in range(2))

    assert one == other


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (0, "2023-11-14T22:13:20.000000Z"),
        (1_234_567, "2023-11-14T22:13:20.001234Z"),
        (59_999_999_999, "2023-11-14T22:14:19.999999Z"),
    ],
)
def test_date(now: int, expected: str) -> None:
    """An alert's date is its time since the boot plus the time of the boot, in UTC, cut to microseconds."""
    [alert] = _Stream().score(now, 62.0, process())

    assert (now, expected) == (alert.timestamp, alert.time)


def test_oldest_episode_ends_early() -> None:
    """At most `capacity` episodes are open; the oldest ends early and is counted."""
    stream = _Stream(capacity=2)
    for pid in (1, 2, 3):
        stream.score(SECOND, 62.0, process(pid))

    assert stream.policy.evicted["alerts"] == 1
    assert stream.score(SECOND, 62.0, process(3)) == []
    assert len(stream.score(SECOND, 62.0, process(1))) == 1


def family(count: int) -> list[Process]:
    """Return a process and its children: they are one lineage."""
    parent = process(1)
    return [parent, *(process(1 + child, parent=parent) for child in range(1, count))]


def test_one_alert_per_mistake() -> None:
    """Of a lineage whose members all show the same, one is shown, and each of the others is counted once."""
    stream = _Stream()
    shown = [
        alert
        for second in range(3)
        for member in family(100)
        for alert in stream.score(SECOND * (1 + second), 62.0, member)
    ]

    assert len(shown) == 1
    assert stream.policy.grouped == 99


def test_other_lineages_have_their_own_alerts() -> None:
    """The same evidence about another lineage is another alert."""
    stream = _Stream()
    shown = [alert for pid in (1, 2, 3) for alert in stream.score(SECOND, 62.0, process(pid))]

    assert (len(shown), stream.policy.grouped) == (3, 0)


def test_other_evidence_is_shown() -> None:
    """A relative that was hidden is shown when other evidence leads, as a first alert, and only then."""
    stream, (parent, child) = _Stream(), family(2)
    [first] = stream.take(SECOND, evidence(8.0, about=parent))
    assert stream.take(SECOND, evidence(8.0, about=child)) == []

    [second] = stream.take(2 * SECOND, evidence(8.5, code="another", about=child, group=Group.MEMORY))

    assert second.id != first.id
    assert (second.update, second.evidence[0].code, stream.policy.grouped) == (0, "another", 1)
    assert stream.take(3 * SECOND, evidence(8.6, about=child)) == []


def test_more_severe_is_shown() -> None:
    """A relative that is worse than what was shown is shown."""
    stream, (parent, child, other) = _Stream(), family(3)
    stream.score(SECOND, 55.0, parent)
    assert stream.score(SECOND, 55.0, child) == []

    [alert] = stream.score(SECOND, 65.0, child)

    assert (alert.severity, alert.update, stream.policy.grouped) == ("high", 0, 1)
    assert stream.score(SECOND, 65.0, other) == []


def test_lineage_is_shown_again_after_silence() -> None:
    """What was said of a lineage is said again when nothing called for it for ten minutes."""
    stream, (parent, child) = _Stream(), family(2)
    stream.score(SECOND, 62.0, parent)

    assert len(stream.score(SECOND + EPISODE_GAP_NS + 1, 64.0, child)) == 1


def test_themes_are_bounded() -> None:
    """Lineages without end push out the oldest of what was said, and that is counted."""
    stream = _Stream(capacity=10)
    for pid in range(1, 1_001):
        stream.score(SECOND, 62.0, process(pid))

    assert stream.policy.evicted == {"alerts": 990, "alert themes": 1_990}


@pytest.mark.parametrize("floor", [0, 90])
def test_reasons_are_the_verdict(floor: int) -> None:
    """What the reasons add is the evidence, and its return period is what the alert says in words."""
    scorer = Scorer()
    policy = AlertPolicy(scorer.journal, boot_id=HEADER.boot_id, realtime_offset=0)
    parent, child = family(2)
    scorer.weigh([evidence(6.0, code="a", about=parent, group=Group.OUTBOUND)], SECOND)
    [verdict] = scorer.weigh([evidence(5.0, code="b", about=child, floor=floor)], 100 * SECOND)
    alert = policy.consider(verdict, 100 * SECOND)

    assert alert is not None
    assert sum(reason.adds for reason in alert.evidence) == pytest.approx(verdict.nats, abs=0.02)
    assert alert.period == pytest.approx(60.0 * math.exp(verdict.nats), rel=0.001)
    assert alert.rarity == ("never in ordinary work: it breaks an invariant" if floor else "about once in 2 days")


def test_similar_episodes_are_named() -> None:
    """An alert names earlier episodes with the same evidence, and what an analyst called them."""
    stream, suspect = _Stream(), process()
    [first] = stream.take(SECOND, evidence(8.0, about=suspect))
    stream.scorer.label(first.id, Label.BENIGN, "", SECOND)
    stream.scorer.turn(MINUTE)
    stream.scorer.turn(20 * MINUTE)

    [again] = stream.take(30 * MINUTE, evidence(12.0, about=process(2)))

    assert [(one.who, one.label, one.likeness) for one in again.similar] == [("true (pid 100)", "benign", 1.0)]


def test_relatives_alone_raise_no_second_alert() -> None:
    """A weak sign beside a relative's alert is grouped with that, and a strong one is an alert of its own."""
    stream, loud = _Stream(), process(1)
    quiet, other = process(2, parent=loud), process(3, parent=loud)

    [first] = stream.take(SECOND, evidence(12.0, about=loud, code="loud"))
    grouped = stream.take(2 * SECOND, evidence(4.0, about=quiet, code="weak"))
    [second] = stream.take(3 * SECOND, evidence(8.0, about=other, code="strong"))

    assert (first.evidence[0].code, grouped) == ("loud", [])
    assert "strong" in {one.code for one in second.evidence}
    assert stream.policy.grouped == 1
