"""What a parent and its workers say to each other."""

from typing import TypeAlias

import msgspec

from pyloader.host import Focus
from pyloader.pipeline import Summary
from pyloader.records import AnalystLabel, AnyRecord
from pyloader.records.recording import Header
from pyloader.scorer import Level
from pyloader.scorer.sharing import Overview, Shared
from pyloader.workers.told import Told


class Begin(msgspec.Struct, array_like=True, tag="begin", frozen=True):
    """The first message to a worker: all that it is told of its work.

    `source` describes where its records come from, `state` is a folder for its snapshots, or empty, and `shared` what
    it missed since the last one. `added` stands before all records.
    """

    worker: int
    workers: int
    header: Header
    min_score: float
    everything: bool
    state: str
    source: bytes
    shared: list[Shared]
    added: list[AnyRecord]


class Decided(msgspec.Struct, array_like=True, tag="decided", frozen=True):
    """How the host stands at a time of its records (ns), and whom to look at; to be answered by a `Report`."""

    now: int
    level: Level
    focus: Focus


class Learn(msgspec.Struct, array_like=True, tag="learn", frozen=True):
    """What other workers have shared, for one; or what one shares, for the others."""

    shared: list[Shared]


class Ask(msgspec.Struct, array_like=True, tag="ask", frozen=True):
    """A label of an analyst. Who does not know the alert passes it on, unless it is the `last` who is asked."""

    label: AnalystLabel
    last: bool


class Pass(msgspec.Struct, array_like=True, tag="pass", frozen=True):
    """The alert of a label is not known here."""

    label: AnalystLabel


class Add(msgspec.Struct, array_like=True, tag="add", frozen=True):
    """Records to be put into the stream."""

    records: list[AnyRecord]


class Tell(msgspec.Struct, array_like=True, tag="tell", frozen=True):
    """What to tell from now on: alerts from which score on, and whether every assessment is told."""

    min_score: float
    everything: bool


class Stop(msgspec.Struct, array_like=True, tag="stop", frozen=True):
    """The end, in this posture: to be answered by an `Ended`, when all that is left has been read, or `at_once`."""

    level: Level
    at_once: bool = False


ToWorker: TypeAlias = Begin | Decided | Learn | Ask | Add | Tell | Stop


class Ready(msgspec.Struct, array_like=True, tag="ready", frozen=True):
    """A worker has begun: the posture that it remembers, its tail as `pyloader.state` saves it, and its last time."""

    level: Level
    tail: bytes
    latest: int


class Results(msgspec.Struct, array_like=True, tag="results", frozen=True):
    """Assessments, in order."""

    told: list[Told]


class Report(msgspec.Struct, array_like=True, tag="report", frozen=True):
    """How a worker stands.

    `now` is the latest time of its records (ns), `processes` the ids of all that live, `last` the last assessment if
    there was one since the last report and not all are told. `untold` assessments, and `untold_alerts` of them with
    alerts, found no room, and so did what others were to learn, `unshared` times.
    """

    now: int
    overview: Overview
    processes: list[int]
    summary: Summary
    untold: int
    untold_alerts: int
    unshared: int
    last: Told | None


class Kept(msgspec.Struct, array_like=True, tag="kept", frozen=True):
    """A snapshot holds all that was learned of so many records in this run, up to a time of them (ns).

    It holds what this worker has shared before, and the first `learned` of what others have.
    """

    records: int
    latest: int
    learned: int


class Note(msgspec.Struct, array_like=True, tag="note", frozen=True):
    """Something to be logged."""

    logger: str
    level: int
    text: str


class Ended(msgspec.Struct, array_like=True, tag="ended", frozen=True):
    """The last message of a worker: of an orderly end, or the name and the text of the error that ended it."""

    report: Report | None
    error: str = ""
    text: str = ""


FromWorker: TypeAlias = Ready | Results | Report | Learn | Pass | Kept | Note | Ended
