"""What `pyloader doctor` says in here."""

import contextlib
import io

import msgspec

from pyloader.cli import main as pyloader
from tests.vm.report import Doctor


class _Check(msgspec.Struct):
    subject: str
    level: str
    detail: str
    advice: str


class _Hook(msgspec.Struct):
    hook: str
    rung: str


class _Monitor(msgspec.Struct):
    name: str
    level: str
    advice: str
    transport: str | None
    hooks: list[_Hook]


class _Answer(msgspec.Struct):
    ok: bool
    host: list[_Check]
    monitors: list[_Monitor]


def ask(*options: str) -> Doctor:
    """Run `pyloader doctor` with some options."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = pyloader(["doctor", "--format", "json", *options])
    answer = msgspec.json.decode(printed.getvalue(), type=_Answer)
    assert answer.ok == (code == 0), f"exit code {code} with {answer}"
    problems = {one.subject: f"{one.detail}; {one.advice}" for one in answer.host if one.level == "problem"}
    problems |= {one.name: one.advice for one in answer.monitors if one.level == "problem"}
    transports = {monitor.transport for monitor in answer.monitors}
    rungs = {f"{one.name}/{hook.hook}": hook.rung for one in answer.monitors for hook in one.hooks}
    return Doctor(problems, rungs, transports.pop() if len(transports) == 1 else None)
