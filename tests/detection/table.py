"""Recall by class and by surface, and the benign alerts of the same run, as one table."""

from collections.abc import Callable, Iterable, Iterator

from tests.detection.judge import Verdict
from tests.detection.simulations import NAMED, Case

HIGH = 62.0
MEDIUM = 50.0


def table(verdicts: list[Verdict], excluded: Iterable[Case], strangers: Iterable[str]) -> str:
    """Return what was found of what was chosen, what was excluded, and which ordinary work raised alerts."""
    chosen = [one for one in verdicts if one.entry.case.chosen == "yes"]
    lines = ["what should be flagged, by what it does      chosen   at 62   at 50"]
    lines += _counts(chosen, lambda one: f"{_source(one)}: {one.entry.case.kind}")
    lines += ["", "simulations by the corpus's surface             all  chosen   at 62   at 50"]
    lines += _surfaces([one for one in verdicts if one.entry.case.origin in {"simulation", "abuse"}])
    lines += ["", "ordinary work in the same run                   all   at 62   at 50"]
    quiet = [one for one in verdicts if one.entry.case.chosen != "yes"]
    lines += _counts(quiet, lambda one: f"{one.entry.case.origin}s that should not be flagged")
    lines += [f"  {'everything else on the machine':42} {len(list(strangers)):6}"]
    lines += ["", "excluded", *(f"  {case.surface:42} {case.work.name}: {case.reason}" for case in excluded)]
    return "\n".join(lines) + "\n"


def details(verdicts: list[Verdict]) -> Iterator[str]:
    """Yield one line for each chosen piece of work that was missed at 62, and for each benign one that was not."""
    for one in verdicts:
        case = one.entry.case
        if (one.score < HIGH) == (case.chosen == "yes") or (case.chosen != "yes" and one.score >= MEDIUM):
            mark = "MISS " if case.chosen == "yes" else "FALSE"
            what = f"{case.kind} | {case.work.name} | {case.work.code!r:.110}"
            said = " || ".join(one.alerts)[:300]
            yield f"{mark} {one.score:3.0f} [{one.entry.done.status}] {what} | {said}"


def recall(verdicts: Iterable[Verdict], kind: str, threshold: float = HIGH) -> float:
    """Return the share of the chosen work of a class that reached a score."""
    scores = [one.score for one in verdicts if one.entry.case.chosen == "yes" and one.entry.case.kind == kind]
    return sum(score >= threshold for score in scores) / len(scores)


def _source(one: Verdict) -> str:
    return "own" if one.entry.case.origin == "variant" else "corpus"


def _counts(verdicts: list[Verdict], key: Callable[[Verdict], str]) -> list[str]:
    groups: dict[str, list[float]] = {}
    for one in verdicts:
        groups.setdefault(key(one), []).append(one.score)
    return [
        f"  {name:42} {len(scores):6} {_reach(scores, HIGH):7} {_reach(scores, MEDIUM):7}"
        for name, scores in sorted(groups.items(), key=_order)
    ]


def _surfaces(verdicts: list[Verdict]) -> list[str]:
    groups: dict[str, list[Verdict]] = {}
    for one in verdicts:
        groups.setdefault(one.entry.case.surface, []).append(one)
    lines = []
    for name, members in sorted(groups.items()):
        scores = [one.score for one in members if one.entry.case.chosen == "yes"]
        counts = f"{len(members):6} {len(scores):7} {_reach(scores, HIGH):7} {_reach(scores, MEDIUM):7}"
        lines.append(f"  {name:42} {counts}")
    return lines


def _reach(scores: list[float], threshold: float) -> int:
    return sum(score >= threshold for score in scores)


def _order(group: tuple[str, list[float]]) -> tuple[str, int, str]:
    source, _, kind = group[0].partition(": ")
    return source, NAMED.index(kind) if kind in NAMED else len(NAMED), kind
