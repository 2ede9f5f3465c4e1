"""How often does ordinary work on this host look at least this bad?

The answer is a return period in seconds, and the score is its logarithm (`scale`). What is counted are *episodes*, not
records: evidence comes in bursts, and a burst is one thing to look at. Of each episode that has closed the strongest
combined evidence Λ is remembered. With r the rate of episodes, and p(Λ) the share of them that were at least this
strong,

    T(Λ) = 1 / (r·p(Λ))

Up to the level that one in fifty episodes exceeds, p is the share that was seen; above it the excesses follow a
generalized Pareto distribution, fitted by its moments (peaks over threshold: Hosking and Wallis 1987; on streams:
Siffer et al., KDD 2017). Its tail is never taken as bounded, since "never seen" is not "impossible". The level is high
since few hosts have one kind of episode only: with one in ten, the end of the rarer kind is taken for rarer than it is.
Strengths come in steps, and many episodes can be equally strong: those on the level are none of the tail, and nothing
is taken for rarer than it was seen, less a standard deviation.

The rate is that of the whole day. A rate for each hour was tried on recorded work and gave less than half of the alerts
that were asked for: strong episodes come in the hours of work, and the quiet hours left their share unused.

What is learned is blended with the prior `T = 60·e^Λ` by the number of episodes behind it. An episode that raised an
alert is learned a day later, so that an analyst has time to say that it was none of the ordinary kind.
"""

import math
from bisect import bisect_left, bisect_right, insort
from collections import deque
from typing import Final, NamedTuple

from pyloader.scorer.scale import PRIOR_PERIOD

SECOND: Final = 1_000_000_000
HOUR: Final = 3_600 * SECOND

EPISODES: Final = 4_096
"""So many episodes are remembered; of more, the latest."""

FEWEST_EPISODES: Final = 512
"""So many are remembered however old they are; beyond them none that is older than twice the half-life."""

PRIOR_EPISODES: Final = 100.0
"""How many episodes the prior is worth."""

PATIENCE: Final = 24 * HOUR
"""How long an episode that raised an alert waits for a label before it is taken for ordinary work."""

WAITING: Final = 1_024

HALF_LIFE: Final = 14 * 24 * HOUR
"""After this time the count of episodes and the time in which they were counted weigh half."""

_LONGEST: Final = 24 * HOUR
"""No longer silence is counted as time of watching: nobody knows what was there."""

_TAIL_SHARE: Final = 0.02
_FEWEST: Final = 10
"""A tail is fitted to at least so many excesses; what is missing of them counts as the prior would have it."""

_PRIOR_EXCESS: Final = 1.0
"""How far ordinary episodes go beyond a level on average, in nats: by the prior, of e of them one goes a nat on."""

_HEAVIEST: Final = 0.5
"""The largest shape of a tail that is believed; beyond it the variance is infinite, and moments say nothing."""

_SHORTEST: Final = 0.05
"""The least mean excess that is believed, in nats: what was always seen alike may differ tomorrow."""


class Learned(NamedTuple):
    """The strongest evidence of an episode that was learned, and when that closed (wall-clock ns)."""

    nats: float
    when: int


class Waiting(NamedTuple):
    """An episode that raised an alert, until it is learned: when that is (wall-clock ns), and what it was."""

    due: int
    name: str
    nats: float
    when: int


class Tail:
    """The strongest evidence of ordinary episodes, and how fast they come. Times are wall-clock nanoseconds.

    `learn_one` takes an episode, `watched` the passing of time without which there is no rate.
    """

    __slots__ = (
        "_count",
        "_excess",
        "_level",
        "_order",
        "_ranked",
        "_seconds",
        "_shape",
        "_waiting",
        "dropped",
        "since",
    )

    def __init__(self) -> None:
        self.dropped = 0
        """Episodes that waited for a label and had to make room for others."""
        self.since: int | None = None
        """When watching began."""
        self._order: deque[Learned] = deque()
        self._ranked: list[float] = []
        self._count = 0.0
        self._seconds = 0.0
        self._waiting: deque[Waiting] = deque()
        self._level = math.inf
        self._excess = 1.0
        self._shape = 0.0

    def __len__(self) -> int:
        return len(self._ranked)

    def learn_one(self, nats: float, when: int) -> None:
        """Take in an ordinary episode that closed at this time, with its strongest evidence."""
        if len(self._order) >= EPISODES:
            self._forget_oldest()
        self._order.append(Learned(nats, when))
        insort(self._ranked, nats)
        self._count += 1.0
        self._fit()

    def learn_later(self, name: str, nats: float, when: int) -> None:
        """Take in an episode that raised an alert when nobody has objected for a day."""
        if len(self._waiting) >= WAITING:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(Waiting(when + PATIENCE, name, nats, when))

    def forget(self, name: str) -> bool:
        """Let an episode that waits go unlearned, since it was an attack; return whether it did wait."""
        kept = [one for one in self._waiting if one.name != name]
        found = len(kept) < len(self._waiting)
        self._waiting = deque(kept)
        return found

    def watched(self, since: int, until: int) -> None:
        """Count the time from `since` to `until` as watched, and learn what has waited for long enough."""
        if self.since is None:
            self.since = since
        waiting = self._waiting
        while waiting and waiting[0].due <= until:
            one = waiting.popleft()
            self.learn_one(one.nats, one.when)
        if len(self._order) > FEWEST_EPISODES and self._order[0].when < until - 2 * HALF_LIFE:
            self._forget_oldest()
            self._fit()
        since = max(since, until - _LONGEST)
        if until <= since:
            return
        kept = 0.5 ** ((until - since) / HALF_LIFE)
        self._count *= kept
        self._seconds = self._seconds * kept + (until - since) / SECOND

    def rate(self) -> float:
        """Return how many episodes a second come."""
        return (self._count + 1.0) / (self._seconds + PRIOR_PERIOD)

    def exceeded(self, nats: float) -> float:
        """Return the share (0 to 1) of ordinary episodes with at least this much evidence."""
        return math.exp(self._log_exceeded(nats))

    def log_period(self, nats: float) -> float:
        """Return the natural logarithm of the return period in seconds of this much evidence."""
        prior = math.log(PRIOR_PERIOD) + nats
        count = len(self._ranked)
        if not count:
            return prior
        learned = -math.log(self.rate()) - self._log_exceeded(nats)
        weight = count / (count + PRIOR_EPISODES)
        return weight * learned + (1.0 - weight) * prior

    def _log_exceeded(self, nats: float) -> float:
        """Return the logarithm of that share: the share itself may be too small for a number."""
        ranked = self._ranked
        count = len(ranked)
        seen = count - bisect_left(ranked, nats)
        if nats <= self._level:
            return math.log((seen + 0.5) / (count + 1.0))
        above = math.log((count - bisect_right(ranked, self._level) + 0.5) / (count + 1.0))
        ratio = (nats - self._level) / self._excess
        tail = above - (math.log1p(self._shape * ratio) / self._shape if self._shape > 0.0 else ratio)
        return max(tail, math.log((seen - math.sqrt(seen)) / count)) if seen > 1 else tail

    def _forget_oldest(self) -> None:
        oldest = self._order.popleft()
        del self._ranked[bisect_left(self._ranked, oldest.nats)]

    def _fit(self) -> None:
        """Fit the tail to what exceeds the level."""
        ranked = self._ranked
        count = max(_FEWEST, round(_TAIL_SHARE * len(ranked)))
        self._level = ranked[-count - 1] if len(ranked) > count else ranked[-1]
        excesses = [value - self._level for value in ranked[bisect_right(ranked, self._level) :]]
        missing = max(0, _FEWEST - len(excesses))
        mean = (math.fsum(excesses) + missing * _PRIOR_EXCESS) / (len(excesses) + missing)
        variance = math.fsum((value - mean) ** 2 for value in excesses) / (len(excesses) - 1) if not missing else 0.0
        ratio = mean * mean / variance if variance > 0.0 else 1.0
        self._shape = min(_HEAVIEST, max(0.0, 0.5 * (1.0 - ratio)))
        self._excess = max(mean * (1.0 - self._shape), _SHORTEST)
