"""What the host has learned from labels: populations of units that respond, and a convex learner behind them.

The populations (`pyloader.learners`, after Edelman's neuronal groups) find which combinations tell something, and the
logistic regression finds what they are worth together. Neither ever learns from what it says itself: value comes from
labels, from invariants that broke, and from episodes that closed quietly.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from pyloader.evidence import Evidence
from pyloader.evidence.catalogue import named
from pyloader.host import Entity, Process
from pyloader.learners import Repertoire, Response, reentry
from pyloader.learners.logistic import LogisticRegression
from pyloader.records import AnyRecord
from pyloader.scorer.innate import INNATE
from pyloader.scorer.signature import Signature, Signatures, of_lineage

LEAST_BESIDE: Final = 1.0
LEAST_ALONE: Final = 1.5
"""A response of less, in nats, is not told: beside other evidence, and alone."""

MOST_LEARNED: Final = 3.0
"""The convex learner moves no verdict by more, in nats, up or down."""

HEARD_A_GENERATION: Final = 256
"""A population hears so many events, or a label, before units are born and die."""

INVARIANT_VALUE: Final = 0.3
QUIET_VALUE: Final = -0.02

_SILENT: Final = (0, 0, 0, 0, 0, 0)


class Heard(NamedTuple):
    """What a population heard, and what it says."""

    signature: Signature
    response: Response


class Responses:
    """The populations and the convex learner of one sensor. `seed` makes what they learn repeatable."""

    __slots__ = ("_labels", "_learner", "_repertoire", "_signatures")

    def __init__(self, seed: int) -> None:
        self._repertoire = Repertoire(INNATE, seed=seed)
        self._learner: LogisticRegression[str] = LogisticRegression()
        self._signatures = Signatures()
        self._labels = 0

    @property
    def evicted(self) -> dict[str, int]:
        """How many entries each table gave up for new ones."""
        return {f"population {name}": count for name, count in self._repertoire.evicted.items()} | {
            "learned features": self._learner.evicted,
            **self._signatures.evicted,
        }

    def hear(self, record: AnyRecord, process: Process | None, items: Sequence[Evidence]) -> "Heard | None":
        """Let the population that listens to such events hear one, and return what it says, if that is of use.

        The record is one of the types in `HEARD`.
        """
        group, literals = self._signatures.of(record, process, items)
        response = self._repertoire.observe(group, literals)
        echo = process.echo if process is not None else None
        if echo is not None:
            literals += reentry(group, echo)
            response = self._repertoire.respond(group, literals)
        if process is not None and (response.bin or echo is not None):
            process.echo = _with(echo or _SILENT, group, response.bin)
        return Heard(Signature(group, literals), response) if items or response.vote >= LEAST_ALONE else None

    def hear_lineage(self, codes: Sequence[str]) -> "Heard":
        """Let the population of sequences hear what was held against a lineage lately, in order."""
        heard = of_lineage(codes)
        return Heard(heard, self._repertoire.observe(*heard))

    def evidence(self, said: "Heard", entity: Entity) -> Evidence | None:
        """Return what a population said as evidence about somebody, if it is worth telling."""
        heard, response = said
        if response.vote < LEAST_BESIDE:
            return None
        unit = self._repertoire.describe(response.units[0])
        meaning = unit.sentence or f"seen with {' and '.join(unit.literals)}"
        counts = f" ({unit.positives:.0f} attacks and {unit.negatives:.0f} others were labelled so)"
        text = (
            f"{named(entity)} is like what was learned: {meaning}{counts if unit.positives or unit.negatives else ''}"
        )
        return Evidence("learned_pattern", heard.group, response.vote, text, "", entity)

    def moved(self, codes: Iterable[str], nats: float) -> float:
        """Return by how much labels have taught to move a verdict of these kinds of evidence, in nats within ±3."""
        if not self._labels:
            return 0.0
        moved = self._learner.margin(_features(codes, nats)) - self._learner.margin({})
        return max(-MOST_LEARNED, min(MOST_LEARNED, moved))

    def labelled(self, signatures: Iterable[Signature], codes: Iterable[str], nats: float, value: float) -> None:
        """Learn from a label: 1 for an attack, -1 for ordinary work."""
        self._labels += 1
        self._reward(signatures, value)
        self._learner.learn(_features(codes, nats), positive=value > 0)

    def closed(self, signatures: Iterable[Signature], *, invariant: bool, quiet: bool) -> None:
        """Take the weak value of an episode's end."""
        if invariant or quiet:
            self._reward(signatures, INVARIANT_VALUE if invariant else QUIET_VALUE)

    def generation(self) -> None:
        """Let one generation of units pass where enough was heard."""
        self._repertoire.generation(HEARD_A_GENERATION)

    def _reward(self, signatures: Iterable[Signature], value: float) -> None:
        for group, literals in signatures:
            self._repertoire.reward(group, literals, value)


def _features(codes: Iterable[str], nats: float) -> dict[str, float]:
    """Return what the convex learner hears of an episode: the kinds of its evidence, and its sum in tens of nats."""
    features = {f"code={code}": 1.0 for code in codes}
    features["nats"] = nats / 10
    return features


def _with(echo: tuple[int, ...], group: int, bin_: int) -> tuple[int, ...] | None:
    """Return an echo with what one population now said; `None` if all are silent."""
    changed = (*echo[:group], bin_, *echo[group + 1 :])
    return changed if any(changed) else None
