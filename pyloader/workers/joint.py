"""What is decided for a whole host, of which several workers see a part each.

Posture: the odds that any of the worst lineages is an attack are added as one scorer adds them (`of_host`); of N lists
that each hold the worst of a worker, the worst of all are the worst of the host. How rare that is on this host says a
tail that learns of every episode, whoever saw it close. So the posture of N workers is that of one, but for the second
that their reports are apart.

Attention: who stands out anywhere competes for the one focus.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from pyloader.host import Focus
from pyloader.pipeline import PARTS
from pyloader.scorer import Change, Level, Posture, Tail
from pyloader.scorer.attention import Attention
from pyloader.scorer.posture import of_host
from pyloader.scorer.scale import score_of
from pyloader.scorer.sharing import Conclusion, Overview, Relabelled, Shared
from pyloader.state import Classes, load

_FADED: Final = 0.05


class Decision(NamedTuple):
    """How alert the host is, a change of that if there is one, and whom to look at."""

    level: Level
    change: Change | None
    focus: Focus


class Joint:
    """The posture, the attention and the tail of a host. Time is that of the records (ns).

    `realtime_offset` takes it to the wall clock, and `seed` makes what attention draws repeatable.
    """

    def __init__(self, realtime_offset: int, *, seed: int) -> None:
        self.posture = Posture()
        self.tail = Tail()
        self._attention = Attention(seed=seed)
        self._offset = realtime_offset
        self._last: int | None = None

    def resume(self, level: Level, tail: bytes) -> None:
        """Go on from what a worker remembers of the host: the highest posture, and the tail that knows most."""
        self.posture.level = max(self.posture.level, level)
        known = Tail()
        load(tail, {"tail": known}, Classes(PARTS))
        begins = self.tail.since is None and known.since is not None
        if len(known) > len(self.tail) or (begins and len(known) == len(self.tail)):
            self.tail = known

    def learn(self, shared: Shared) -> None:
        """Learn from what a worker shared with all."""
        if isinstance(shared, Conclusion | Relabelled):
            shared.teach(self.tail)

    def rise(self, now: int, call: tuple[float, bool]) -> Change | None:
        """Let the posture rise at once, for a score, or because an invariant broke."""
        score, invariant = call
        return self.posture.rise(now, score, invariant=invariant)

    def decide(self, now: int, parts: Mapping[int, Overview], processes: Sequence[int]) -> Decision:
        """Decide for all, from how each part stands; `processes` are the ids of all that live."""
        last = now if self._last is None else min(self._last, now)
        self._last = now
        self.tail.watched(last + self._offset, now + self._offset)
        host = of_host([nats for part in parts.values() for nats in part.nats])
        score = score_of(self.tail.log_period(host)) if host > _FADED else 0.0
        change = self.posture.update(
            now,
            score,
            alerting=sum(part.alerting for part in parts.values()),
            invariant=any(part.invariant for part in parts.values()),
        )
        focus = self._attention.choose(
            now,
            [suspect for _, part in sorted(parts.items()) for suspect in part.suspects],
            processes,
            posture=self.posture.level,
            loss=any(part.loss for part in parts.values()),
        )
        return Decision(self.posture.level, change, focus)
