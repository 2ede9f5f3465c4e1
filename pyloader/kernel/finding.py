"""What a look at the host gives."""

from enum import StrEnum
from typing import NamedTuple

from pyloader.errors import PyloaderError


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    ADVICE = "advice"
    """Worth knowing; it stops nothing, or nothing but what the advice names."""
    PROBLEM = "problem"
    """With it no monitor runs."""


class Finding(NamedTuple):
    """One answer about the host. `problem` says what is missing and what to do, `advice` what a reader may do."""

    subject: str
    detail: str
    problem: PyloaderError | None = None
    advice: str = ""

    @property
    def level(self) -> Level:
        """How much it matters."""
        if self.problem is not None:
            return Level.PROBLEM
        return Level.ADVICE if self.advice else Level.OK

    @property
    def way_out(self) -> str:
        """What is wrong and what to do, if it is not ok."""
        return str(self.problem) if self.problem is not None else self.advice
