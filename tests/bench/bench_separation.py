"""How well the evidence of executions tells abuse from ordinary command lines, beside a trained bag of tokens.

The lines are those of the development corpus: GTFOBins against one-liners that people asked for (see
`tests/unit/evidence/separation.py`, which also says how they are played and how ties are counted). The evidence learns
nothing from them. The baseline is a logistic regression (L2, its strength chosen by five-fold cross-validation) on the
presence of tokens, split at blanks and shell punctuation, and of the programs. Lines fall into halves by a hash; the
baseline is trained on one and both are judged on the other, then the other way round, and the mean is told. A round is
one resample of the lines that are judged; a figure is the estimate on all of them with its 95 % interval.

Rows: each line as typed; run through `sudo`, where the ordinary lines are too; the abused program with a set-uid bit or
a capability, against ordinary lines as typed, where only the evidence sees the bit. What the collectors of abuse write
for any path, host or text gives them away to a bag of tokens, and so do the programs that they list: "disguised" has
words of ordinary lines in those places, and "unseen programs" splits abuse by program instead of by line.

Many lines of abuse are ordinary commands, such as `cat FILE`, and abuse only where the caller should not have the
right: nothing in the line can tell them.
"""

import re
import warnings
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple

from tests.bench.figures import CannotMeasureError, Figure, figure, percentile
from tests.unit.evidence.separation import (
    Abuse,
    abuse,
    area,
    corpus,
    disguised,
    found,
    ordinary,
    play,
    play_capable,
    play_elevated,
    play_set_uid,
    threshold,
)

TITLE = "separation on command lines"
ROUNDS = 200

ONE_PERCENT, ONE_PER_MILLE = 0.01, 0.001


class Line(NamedTuple):
    """A line, what the evidence says of it in nats, and the half that it is in."""

    text: str
    nats: float
    half: int
    function: str = ""


class Half(NamedTuple):
    """The scores of the lines of one half."""

    positives: Sequence[float]
    negatives: Sequence[float]


def measure(rounds: int) -> list[Figure]:
    """Return area, and the share that is found at one and at a tenth of a percent, by row and by judge."""
    try:
        folder = corpus()
    except FileNotFoundError as error:
        raise CannotMeasureError(str(error)) from error
    cases, benign = abuse(folder), ordinary(folder)
    typed = [Line(text, play(text), _half(text)) for text in benign]
    elevated = [Line(line.text, play_elevated(line.text), line.half) for line in typed]
    figures: list[Figure] = []
    for row, positives, negatives in (
        ("as typed", [_line(case, play(case.code)) for case in cases], typed),
        ("sudo", [_line(case, play_elevated(case.code)) for case in cases if "sudo" in case.contexts], elevated),
        ("set-uid", [_line(case, nats) for case in cases for nats in _with_rights(case)], typed),
        ("disguised", _disguised(cases, benign, by_program=False), typed),
        ("disguised, unseen programs", _disguised(cases, benign, by_program=True), typed),
    ):
        figures += _row(f"{row}: evidence", _judged(positives, negatives), rounds)
        figures += _row(f"{row}: tokens", _trained(positives, negatives), rounds)
        figures.append(figure(f"{row}: different scores", "", [len({line.nats for line in positives + negatives})]))
        if not row.startswith("disguised"):
            figures += _by_function(row, positives, negatives)
    return figures


def _half(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogateescape")) & 1


def _line(case: Abuse, nats: float) -> Line:
    return Line(case.code, nats, _half(case.code), case.function)


def _with_rights(case: Abuse) -> list[float]:
    plays: dict[str, Callable[[Abuse], float]] = {"suid": play_set_uid, "capabilities": play_capable}
    return [played(case) for context, played in plays.items() if context in case.contexts]


def _disguised(cases: Sequence[Abuse], benign: Sequence[str], *, by_program: bool) -> list[Line]:
    lines = []
    for number, case in enumerate(cases):
        text = disguised(case.code, number, benign)
        half = _half(case.binary if by_program else text)
        lines.append(Line(text, play(text), half, case.function))
    return lines


def _judged(positives: Sequence[Line], negatives: Sequence[Line]) -> list[Half]:
    return [
        Half(*([line.nats for line in lines if line.half != trained_on] for lines in (positives, negatives)))
        for trained_on in (0, 1)
    ]


def _trained(positives: Sequence[Line], negatives: Sequence[Line]) -> list[Half]:
    """Train on each half and return the scores of the other one."""
    try:
        from sklearn.feature_extraction.text import CountVectorizer  # noqa: PLC0415 -- no other bench needs it.
        from sklearn.linear_model import LogisticRegressionCV  # noqa: PLC0415
    except ImportError as error:
        message = "scikit-learn, which has the baseline, is not installed"
        raise CannotMeasureError(message) from error
    halves = []
    for trained_on in (0, 1):
        known = [(line.text, label) for label, lines in ((1, positives), (0, negatives)) for line in lines
                 if line.half == trained_on]  # fmt: skip
        words = CountVectorizer(analyzer=tokens, binary=True)
        model: Any = LogisticRegressionCV(
            Cs=[0.1, 1, 10, 100, 1000], cv=5, scoring="average_precision", solver="liblinear", max_iter=2_000
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # About defaults of later versions.
            model.fit(words.fit_transform([text for text, _ in known]), [label for _, label in known])
        other = ([line.text for line in lines if line.half != trained_on] for lines in (positives, negatives))
        halves.append(Half(*(model.decision_function(words.transform(texts)).tolist() for texts in other)))
    return halves


_PROGRAM = re.compile(r"(?:^|[|;&(`\n]|\bsudo )\s*(?:[^\s=]*/)?([\w.+-]+)")
_TOKEN = re.compile(r"[^\s|;&<>(){}\[\]'\"`=,:/$]+")


def tokens(text: str) -> list[str]:
    """Return the tokens of a line, and its programs as tokens of their own.

    >>> tokens("cat /etc/hosts | wc -l")
    ['cat', 'etc', 'hosts', 'wc', '-l', 'program cat', 'program wc']
    """
    return _TOKEN.findall(text) + [f"program {name}" for name in _PROGRAM.findall(text)]


def _row(name: str, halves: Sequence[Half], rounds: int) -> list[Figure]:
    chance = Random(1)
    resamples = [[_resampled(half, chance) for half in halves] for _ in range(rounds)]
    measures: dict[str, tuple[str, float, Callable[[Half], float]]] = {
        "AUROC": ("", 1, lambda half: area(half.positives, half.negatives)),
        "found at 1 %": ("%", 100, lambda half: found(half.positives, half.negatives, ONE_PERCENT)),
        "found at 0.1 %": ("%", 100, lambda half: found(half.positives, half.negatives, ONE_PER_MILLE)),
    }
    figures = []
    for what, (unit, scale, told) in measures.items():
        estimate, *drawn = (scale * sum(map(told, one)) / len(one) for one in (halves, *resamples))
        low, high = (percentile([estimate, *drawn], percent) for percent in (2.5, 97.5))
        figures.append(figure(f"{name}, {what}", unit, (min(low, estimate), estimate, max(high, estimate))))
    return figures


def _resampled(half: Half, chance: Random) -> Half:
    return Half(*(chance.choices(scores, k=len(scores)) for scores in half))


def _by_function(row: str, positives: Sequence[Line], negatives: Sequence[Line]) -> list[Figure]:
    """Return what the evidence finds of each function of abuse, at the thresholds of all lines."""
    scores = [line.nats for line in negatives]
    bounds = [threshold(scores, share) for share in (ONE_PERCENT, ONE_PER_MILLE)]
    reached: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    counts = Counter(line.function for line in positives)
    for line in positives:
        for place, bound in enumerate(bounds):
            reached[line.function][place] += line.nats > bound
    return [
        figure(
            f"{row}: {function} ({counts[function]}), found at {share}",
            "%",
            [100 * reached[function][place] / counts[function]],
        )
        for function in sorted(counts)
        for place, share in enumerate(("1 %", "0.1 %"))
    ]
