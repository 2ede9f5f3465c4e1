"""The labelled streams of the corpus: connections of the KDD cup of 1999, and of NSL-KDD, which is drawn from them."""

import csv
import gzip
import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.bench.figures import CannotMeasureError
from tests.bench.programs import ROOT

NAMES = {"NSL-KDD": "nsl_kdd_train_20percent.csv.gz", "KDD99": "kddcup.data_10_percent.gz"}
NORMAL = "normal"

Features = dict[str, float | int | str | bool]


class Labelled(NamedTuple):
    """A connection, and the kind of attack that it is part of, or `NORMAL`."""

    x: Features
    kind: str

    @property
    def attack(self) -> bool:
        """Whether it is part of an attack."""
        return self.kind != NORMAL


def read(name: str) -> list[Labelled]:
    """Return a whole stream in its order; NSL-KDD has none."""
    folder = Path(os.environ.get("PYLOADER_CORPUS", ROOT.parent / "shared" / "corpus")) / "streams"
    if not (folder / NAMES[name]).is_file():
        msg = f"no {NAMES[name]} in {folder}: set PYLOADER_CORPUS to the folder that holds streams/"
        raise CannotMeasureError(msg)
    fields = [line.split(",") for line in (folder / "field_names.csv").read_text().split()][:-1]
    with gzip.open(folder / NAMES[name], "rt") as lines:
        return [
            Labelled(
                {
                    field: word if kind == "symbolic" else float(word)
                    for (field, kind), word in zip(fields, row, strict=False)
                },
                row[len(fields)].rstrip("."),
            )
            for row in csv.reader(lines)
        ]


def thinned(rows: Sequence[Labelled], share: float, chance: random.Random) -> list[Labelled]:
    """Leave out attacks, each with the same probability, until they make up a share of all."""
    normal = sum(not row.attack for row in rows)
    kept = share * normal / (1.0 - share) / (len(rows) - normal)
    return [row for row in rows if not row.attack or chance.random() < kept]


def each_kind(rows: Sequence[Labelled], most: int, chance: random.Random) -> list[Labelled]:
    """Return at most so many attacks of each kind, drawn by chance, in the order of the stream."""
    kinds: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        if row.attack:
            kinds.setdefault(row.kind, []).append(place)
    places = [place for kind in kinds.values() for place in chance.sample(kind, min(most, len(kind)))]
    return [rows[place] for place in sorted(places)]
