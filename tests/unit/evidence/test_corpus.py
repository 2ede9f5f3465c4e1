"""Development figures on commands that nobody in this project wrote: false alarms on ordinary work, recall on abuse.

The corpus is not part of the project. It is found by PYLOADER_CORPUS, or beside the checkout. `pytest -s` shows the
figures; only the bound on false alarms is a requirement.
"""

# ruff: noqa: S108, T201 - temporary paths are judged, not used, and the figures are printed

import json
import os
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from pyloader.evidence.shell import pipelines
from pyloader.host import Process
from tests.unit.evidence.stage import Stage


@pytest.fixture(scope="module")
def corpus() -> Path:
    """The folder with the corpora."""
    beside = Path(__file__).parents[3] / ".." / "shared" / "corpus"
    folder = Path(os.environ.get("PYLOADER_CORPUS", beside)).resolve()
    if not (folder / "benign_commands.txt").is_file():
        pytest.fail(f"no corpus in {folder}: set PYLOADER_CORPUS to the folder that holds benign_commands.txt")
    return folder


def _alarms(stage: Stage, commands: list[list[str]], folder: str) -> tuple[list[str], list[str]]:
    """Run commands as siblings of one Python process; return those that reach 62 and those that reach 50."""
    parent = stage.run(["python3", "run.py"], exe="/usr/bin/python3.11")
    high, medium = [], []
    for argv in commands:
        process = stage.run(argv, parent, exe=folder + argv[0].rpartition("/")[2])
        about = {item.entity.label: item.entity for item in stage.last if isinstance(item.entity, Process)}
        score = max((stage.score(subject) for subject in about.values()), default=0.0)
        codes = [item.code for item in stage.last]
        if score >= 62:
            high.append(f"{score:.0f} {codes} {argv}")
        elif score >= 50:
            medium.append(f"{score:.0f} {codes} {argv}")
        stage.exit(process)
    return high, medium


def _forms(lines: list[str]) -> dict[str, list[list[str]]]:
    whole = [line.split() for line in lines if line.split()]
    segments = [part.split() for line in lines for part in re.split(r"\|\|?|&&|;", line) if part.split()]
    return {
        "one argument vector": whole,
        "pipeline segments": segments,
        "sh -c LINE": [["sh", "-c", line] for line in lines],
        "bash -c LINE": [["bash", "-c", line] for line in lines],
    }


@pytest.mark.parametrize("folder", ["/usr/bin/", "/tmp/x/"])
def test_ordinary_commands_raise_no_high_alarm(corpus: Path, folder: str) -> None:
    """At most one of thousands of ordinary commands in quick succession reaches a high score, in any form."""
    lines = (corpus / "benign_commands.txt").read_text(errors="surrogateescape").splitlines()
    for form, commands in _forms(lines).items():
        high, medium = _alarms(Stage(), commands, folder)
        print(f"\n{folder} {form}: {len(commands)} commands, {len(high)} reach 62, {len(medium)} reach 50")
        print("\n".join(high[:10] + medium[:10]))
        # Two of the lines source what they download: as shell code they are what the rule is about.
        assert len(high) <= (2 if "-c" in form else 1), form


def _play(stage: Stage, code: str, shell: str, *, sudo: bool) -> float:
    """Run code in a shell, then the commands that it holds as the shell's children; return the highest score."""
    parent = stage.run(["bash"], uid=1000)
    if sudo:
        elevated = stage.run(["sudo", shell, "-c", code], parent, flags=1, uid=1000, euid=0)
        process = stage.run([shell, "-c", code], elevated, uid=0)
    else:
        process = stage.run([shell, "-c", code], parent, uid=1000)
    best: float = _best(stage)
    for pipeline in pipelines(code):
        members = [command for command in pipeline if command.argv]
        pipes = [stage.pipe() for _ in members[1:]]
        for position, command in enumerate(members):
            streams: dict[str, Any] = {}
            if position:
                streams["stdin"] = pipes[position - 1]
            if position < len(pipes):
                streams["stdout"] = pipes[position]
            child: Process = stage.run(command.argv, process, **streams)
            best = max(best, _best(stage))
            if command.argv[0] == "sudo" and len(command.argv) > 1:
                stage.run(command.argv[1:], child, uid=0, **streams)
                best = max(best, _best(stage))
    return best


def _best(stage: Stage) -> float:
    return max((stage.score(item.entity) for item in stage.last if isinstance(item.entity, Process)), default=0.0)


def test_recall_on_abuse(corpus: Path) -> None:
    """Abuse of ordinary binaries is found; the figures tell how much of it."""
    reached: dict[str, Counter[str]] = defaultdict(Counter)
    missed = []
    for line in (corpus / "abuse_commands.jsonl").read_text().splitlines():
        case = json.loads(line)
        for context in case["contexts"]:
            if context == "sudo":
                score = _play(Stage(), case["code"], "sh", sudo=True)
            elif context == "suid":
                score = _set_uid(Stage(), case, flags=1)
            elif context == "capabilities":
                score = _set_uid(Stage(), case, flags=4)
            else:
                score = _play(Stage(), case["code"], "sh", sudo=False)
            key = f"{case['function']} {context}"
            seen = max(score, _shell_behind(Stage(), case)) if key == "shell sudo" else score
            reached[key].update(
                ["all"] + ["50"] * (score >= 50) + ["62"] * (score >= 62) + ["behaviour"] * (seen >= 62)
            )
            if score < 62:
                missed.append(f"MISS {key} {score:.0f} {case['code']!r:.150}")
    print("\n".join(sorted(missed)))
    for key, counts in sorted(reached.items()):
        print(
            f"{key:40} of {counts['all']:3}: 62 {counts['62']:3}, 50 {counts['50']:3}, 62 with the shell"
            f" {counts['behaviour']:3}"
        )
    assert reached["reverse-shell sudo"]["62"] >= 10


def _shell_behind(stage: Stage, case: dict[str, Any]) -> float:
    """Run the abused binary through sudo, whatever its arguments, and let it start a bare shell."""
    tool = stage.sudo([case["binary"], "x"])
    stage.run(["sh"], tool, exe="/bin/dash")
    return _best(stage)


def _set_uid(stage: Stage, case: dict[str, Any], flags: int) -> float:
    """Run the abused binary itself with a set-uid bit or with file capabilities."""
    best = 0.0
    for pipeline in pipelines(case["code"]):
        for command in pipeline:
            if command.argv and command.argv[0].rpartition("/")[2] == case["binary"]:
                stage.run(command.argv, flags=flags, uid=1000, euid=0 if flags == 1 else 1000, capabilities=1 << 7)
                best = max(best, _best(stage))
    return best


def test_recall_on_simulations(corpus: Path) -> None:
    """Simulated attacks that are more than one ordinary command are found; the figures tell how much of each kind."""
    reached: dict[str, Counter[str]] = defaultdict(Counter)
    for line in (corpus / "attack_simulations.jsonl").read_text().splitlines():
        case = json.loads(line)
        score = _play(Stage(), case["command_rendered"], case["executor"], sudo=False)
        reached[case["surface"]].update(["all"] + ["50"] * (score >= 50) + ["62"] * (score >= 62))
        print(f"{score:5.0f} {case['surface']:32} {case['name']}")
    for key, counts in sorted(reached.items()):
        print(f"{key:40} of {counts['all']:3}: 62 {counts['62']:3}, 50 {counts['50']:3}")
