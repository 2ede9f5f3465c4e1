"""What is run: the simulations of the corpus, its remote shells, and attacks and ordinary work of our own.

Which simulations should be flagged was decided before any score was seen, and stands in `selection.tsv` with the
reason. README.md tells the rule.
"""

import csv
import json
import random
import shutil
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Final

import msgspec

from tests.detection.container import Work
from tests.detection.variants import NEIGHBOURS, VARIANTS, Variant

HERE: Final = Path(__file__).parent
NAMED: Final = (
    "reverse shells",
    "decode-and-execute",
    "memory and ptrace",
    "privilege escalation",
    "raw sockets",
    "scans",
)
"""The classes of which at least 80 % must be found at 62."""

REMOTE: Final = NAMED[0]


class Case(msgspec.Struct, frozen=True):
    """One piece of work and what it is.

    `chosen` is `yes` for what should be flagged, `no` for a simulation that should not, `excluded` for what cannot be
    run in a container, and `benign` for ordinary work. `origin` tells where it is from, `surface` what the corpus calls
    it, `kind` is the class by what it does.
    """

    work: Work
    origin: str
    chosen: str
    kind: str
    surface: str
    reason: str = ""


def selection() -> dict[str, tuple[str, str, str]]:
    """Return, by guid, whether a simulation is chosen, its class and the reason."""
    with (HERE / "selection.tsv").open() as file:
        return {
            row["guid"]: (row["chosen"], row["class"], row["reason"]) for row in csv.DictReader(file, delimiter="\t")
        }


def simulations(corpus: Path) -> Iterator[Case]:
    """Return the simulations of the corpus, as their executor runs them: code as the argument of a shell."""
    chosen = selection()
    for line in (corpus / "attack_simulations.jsonl").read_text().splitlines():
        case = json.loads(line)
        answer, kind, reason = chosen[case["guid"]]
        peer_work = Work(case["guid"], case["command_rendered"], case["executor"], elevated=case["elevation"])
        yield Case(peer_work, "simulation", answer, kind, case["surface"], reason or case["name"])


def remote_shells(corpus: Path) -> Iterator[Case]:
    """Return the remote shells of the corpus, for there are none among the simulations."""
    for number, line in enumerate((corpus / "abuse_commands.jsonl").read_text().splitlines()):
        case = json.loads(line)
        if case["function"] not in {"reverse-shell", "bind-shell"}:
            continue
        peer = "call" if case["function"] == "bind-shell" else "listen"
        code = case["code"]
        program, newline, rest = code.partition("\n")
        if newline and program == case["binary"]:
            # A line of its own starts a prompt, and what follows is typed there.
            code = f"{program} <<'END'\n{rest}\nEND"
        name = f"{case['function']} {case['binary']} {number}"
        missing = MISSING.get(case["binary"]) or ("" if shutil.which(case["binary"]) else "is not installed here")
        elevated = "-p" in code.split()
        work = Work(name, code, "bash", peer=peer, elevated=elevated)
        answer = "excluded" if missing else "yes"
        yield Case(work, "abuse", answer, REMOTE, case["function"], missing)


MISSING: Final = {
    "jjs": "no Debian package has it",
    "jrunscript": "needs a scripting engine that no Debian package has",
    "julia": "no Debian package has it",
}


def variants() -> Iterator[Case]:
    """Return attacks of our own, each another way to do what its class is about."""
    for variant in VARIANTS:
        yield _case(variant, "yes")


def neighbours() -> Iterator[Case]:
    """Return ordinary work that resembles the attacks."""
    for variant in NEIGHBOURS:
        yield _case(variant, "benign")


def everything(corpus: Path, count: int) -> Iterator[Case]:
    """Return all cases with so many ordinary command lines, the ordinary work between the attacks."""
    attacks = [*simulations(corpus), *remote_shells(corpus), *variants()]
    quiet = [*neighbours(), *ordinary(corpus, count)]
    for pair in zip_longest(attacks, quiet):
        yield from (case for case in pair if case is not None)


def _case(variant: Variant, answer: str) -> Case:
    return Case(variant.work, "variant" if answer == "yes" else "neighbour", answer, variant.kind, variant.kind)


def ordinary(corpus: Path, count: int, seed: int = 6) -> Iterator[Case]:
    """Return command lines that people really asked for, as a user and as root in turn."""
    lines = (corpus / "benign_commands.txt").read_text(errors="replace").splitlines()
    for number, line in enumerate(random.Random(seed).sample(lines, count)):
        work = Work(f"ordinary {number}", line, "bash", elevated=number % 2 == 0)
        yield Case(work, "ordinary", "benign", "ordinary", "ordinary")
