"""How well the evidence of executions separates abuse from ordinary commands, on lines that nobody here wrote.

Every line is played as a sensor would see it: a shell that was given the line with `-c`, and the programs that the
line names as its children. The score of a line is the evidence, in nats, that adds up for the process that it speaks
against most. Ties are broken against the defender: a threshold that lets through k of the ordinary lines lies above
the score of the next one, and of all that have the same.
"""

import json
import os
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pyloader.evidence.shell import pipelines
from pyloader.host import Process
from pyloader.records import ExecFlag
from tests.unit.evidence.stage import Stage

_SET_UID = int(ExecFlag.SETUID)
_CAPABILITIES = int(ExecFlag.FILE_CAPABILITIES)
_CAP_SETUID = 1 << 7


class Abuse(NamedTuple):
    """A line that abuses a program, what for, and in which contexts that serves an attacker."""

    binary: str
    function: str
    contexts: tuple[str, ...]
    code: str


def corpus() -> Path:
    """Return the folder with the corpora; they are not part of the project.

    Raises:
        FileNotFoundError: They are neither in the folder that PYLOADER_CORPUS names nor beside the checkout.
    """
    beside = Path(__file__).parents[3] / ".." / "shared" / "corpus"
    folder = Path(os.environ.get("PYLOADER_CORPUS", beside)).resolve()
    if not (folder / "benign_commands.txt").is_file():
        message = f"no corpus in {folder}: set PYLOADER_CORPUS to the folder that holds benign_commands.txt"
        raise FileNotFoundError(message)
    return folder


def ordinary(folder: Path) -> list[str]:
    """Return the ordinary command lines, each once."""
    lines = (folder / "benign_commands.txt").read_text(errors="surrogateescape").splitlines()
    return list(dict.fromkeys(line for line in lines if line.strip()))


def abuse(folder: Path) -> list[Abuse]:
    """Return the lines of abuse."""
    cases = map(json.loads, (folder / "abuse_commands.jsonl").read_text().splitlines())
    return [Abuse(case["binary"], case["function"], tuple(case["contexts"]), case["code"]) for case in cases]


def play(code: str) -> float:
    """Return the score of a line that a user types."""
    stage = Stage()
    shell = stage.run(["sh", "-c", code], stage.run(["bash"], uid=1000), uid=1000)
    return _played(stage, code, shell)


def play_elevated(code: str) -> float:
    """Return the score of a line that a user runs through `sudo`."""
    stage = Stage()
    words = ["sh", "-c", code]
    elevated = stage.run(["sudo", *words], stage.run(["bash"], uid=1000), flags=_SET_UID, uid=1000, euid=0)
    return _played(stage, code, stage.run(words, elevated, uid=0))


def play_set_uid(case: Abuse) -> float:
    """Return the score of the abused program with a set-uid bit."""
    return _with_rights(case, flags=_SET_UID, euid=0)


def play_capable(case: Abuse) -> float:
    """Return the score of the abused program with a file capability that leads to root."""
    return _with_rights(case, flags=_CAPABILITIES, capabilities=_CAP_SETUID)


_LEFT_OUT = "..."
"""What an author writes for a command of no interest; no such program starts."""


def _played(stage: Stage, code: str, shell: Process) -> float:
    best = _strongest(stage)
    for pipeline in pipelines(code):
        members = [command for command in pipeline if command.argv and command.argv[0] != _LEFT_OUT]
        pipes = [stage.pipe() for _ in members[1:]]
        for position, command in enumerate(members):
            streams: dict[str, Any] = {}
            if position:
                streams["stdin"] = pipes[position - 1]
            if position < len(pipes):
                streams["stdout"] = pipes[position]
            child = stage.run(command.argv, shell, **streams)
            best = max(best, _strongest(stage))
            if command.argv[0] == "sudo" and len(command.argv) > 1:
                stage.run(command.argv[1:], child, uid=0, **streams)
                best = max(best, _strongest(stage))
    return best


def _with_rights(case: Abuse, **rights: Any) -> float:  # noqa: ANN401 -- arguments of `Stage.run`.
    best = 0.0
    for pipeline in pipelines(case.code):
        for command in pipeline:
            if command.argv and command.argv[0].rpartition("/")[2] == case.binary:
                stage = Stage()
                stage.run(command.argv, uid=1000, **rights)
                best = max(best, _strongest(stage))
    return best


def _strongest(stage: Stage) -> float:
    return max((stage.nats(item.entity) for item in stage.last if isinstance(item.entity, Process)), default=0.0)


_PLACEHOLDERS = re.compile(
    r"(?:\.|/path/to)/(?:input|ou?t?put|temp|path)[\w./-]*|/path/to/[\w./-]*|attacker\.com|DATA|12345"
)
_PATH = re.compile(r"(?<!\S)~?[\w.-]*/[\w./-]+(?!\S)")
_WORD = re.compile(r"(?<!\S)[a-z]{3,12}(?!\S)")


def disguised(code: str, number: int, lines: Sequence[str]) -> str:
    """Return a line of abuse with paths, names and words of ordinary lines instead of the placeholders of its author.

    Who collects abuse writes `/path/to/input-file` and `attacker.com`, which tells the author and not the abuse.
    """
    paths: list[str] = [path for line in lines for path in _PATH.findall(line)]
    words: list[str] = [word for line in lines for word in _WORD.findall(line)]

    def other(match: re.Match[str]) -> str:
        place: int = number * 7_919 + match.start()
        if match[0] == "12345":
            return str(1_024 + place % 60_000)
        if "/" in match[0]:
            return paths[place % len(paths)]
        word = words[place % len(words)]
        return f"{word}.example.org" if match[0] == "attacker.com" else word

    return _PLACEHOLDERS.sub(other, code)


def area(positives: Sequence[float], negatives: Sequence[float]) -> float:
    """Return the chance that abuse scores higher than an ordinary line, ties counted half (AUROC)."""
    ordered = sorted(negatives)
    below = sum(bisect_left(ordered, score) + bisect_right(ordered, score) for score in positives)
    return below / (2 * len(positives) * len(negatives))


def threshold(negatives: Sequence[float], false_share: float) -> float:
    """Return the score that at most this share of the ordinary lines exceeds."""
    return sorted(negatives, reverse=True)[int(false_share * len(negatives))]


def found(positives: Sequence[float], negatives: Sequence[float], false_share: float) -> float:
    """Return the share of abuse that is found while at most this share of the ordinary lines is taken for abuse."""
    bound = threshold(negatives, false_share)
    return sum(score > bound for score in positives) / len(positives)
