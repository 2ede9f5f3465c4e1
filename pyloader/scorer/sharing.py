"""What scorers of one host tell each other, when several share the work.

Each scorer has the lineages of its own processes and sources. How alert the host is and whom to look at is decided for
all, from one `Overview` of each. What one learns from an episode that has closed, or from an analyst, is told the
others as it is: so all of them expect the same of this host, and the budget of alerts holds for the host as a whole.
"""

from collections.abc import Iterable
from typing import Self, TypeAlias

import msgspec

from pyloader.evidence import Evidence, Group
from pyloader.evidence.lesson import Lesson
from pyloader.host import Process
from pyloader.scorer.attention import Suspect
from pyloader.scorer.calibration import Tail
from pyloader.scorer.journal import Label, Past


class Overview(msgspec.Struct, frozen=True, array_like=True):
    """How the lineages of one scorer stand.

    `nats` is the evidence against the worst of them, `alerting` how many score as high as an alert, `invariant` whether
    one broke an invariant, `suspects` who stands out, and `loss` whether records were lost just now.
    """

    nats: tuple[float, ...] = ()
    alerting: int = 0
    invariant: bool = False
    suspects: tuple[Suspect, ...] = ()
    loss: bool = False


class Conclusion(msgspec.Struct, frozen=True, array_like=True, tag="conclusion"):
    """An episode that has closed, and what is to be learned from it.

    `nats` is its strongest evidence, `scar` what of it is held against the source, or 0. `teaches` is whether the tail
    learns it, `suspect` whether a day later only.
    """

    past: Past
    nats: float
    scar: float
    suspect: bool
    invariant: bool
    quiet: bool
    teaches: bool

    def teach(self, tail: Tail) -> None:
        """Let a tail learn it."""
        if not self.teaches:
            return
        if self.suspect:
            tail.learn_later(self.past.name, self.nats, self.past.time)
        else:
            tail.learn_one(self.nats, self.past.time)


class Relabelled(msgspec.Struct, frozen=True, array_like=True, tag="relabelled"):
    """What an analyst said of an episode, after `before`, at a time (ns, wall clock)."""

    past: Past
    before: Label
    wall: int

    def teach(self, tail: Tail) -> None:
        """Let a tail learn from it: what was an attack is not ordinary, and what was none need not wait."""
        label = self.past.label
        waited = label not in (self.before, Label.NONE) and tail.forget(self.past.name)
        if waited and label is Label.BENIGN:
            tail.learn_one(self.past.nats, self.past.time)


class Taught(msgspec.Struct, frozen=True, array_like=True, tag="taught"):
    """A lesson that a quiet lineage has taught so many times, at a time (ns, wall clock)."""

    lesson: Lesson
    times: float
    wall: int


class Said(msgspec.Struct, frozen=True, array_like=True):
    """An item of evidence, without whom it is about."""

    code: str
    group: Group
    nats: float
    text: str
    technique: str


class Spoken(msgspec.Struct, frozen=True, array_like=True, tag="spoken"):
    """What was said against a process at a time (ns, clock of the records).

    Who leaves its lineage for one that another scorer has takes along what was held against it.
    """

    pid: int
    start: int
    when: int
    items: tuple[Said, ...]

    @classmethod
    def of(cls, process: Process, items: Iterable[Evidence], when: int) -> Self:
        """Return what these items say."""
        said = tuple(Said(one.code, one.group, one.nats, one.text, one.technique) for one in items)
        return cls(process.pid, process.start, when, said)

    def about(self, process: Process) -> list[Evidence]:
        """Return it as evidence; an invariant that broke is dealt with where that was seen."""
        return [Evidence(one.code, one.group, one.nats, one.text, one.technique, process) for one in self.items]


Shared: TypeAlias = Conclusion | Relabelled | Spoken | Taught
