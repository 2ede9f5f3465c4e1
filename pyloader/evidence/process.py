"""The evidence of process records: for every record zero to three items per process.

An exec passes through the questions below, the cheap ones first. Each looks only at programs and flags that concern
it, so an ordinary command costs a few lookups.
"""

from collections.abc import Callable
from typing import Final

from pyloader.evidence.catalogue import SHELL_FROM_RELAY, SHELL_ON_SOCKET, SOCKET_HANDLER, Finding, named
from pyloader.evidence.commands import RULES, about, escape_of, judge_words
from pyloader.evidence.customs import Customs
from pyloader.evidence.discovery import Reconnaissance
from pyloader.evidence.domain import Handler
from pyloader.evidence.downloads import Downloads
from pyloader.evidence.image import SPECIAL as SPECIAL_IMAGE
from pyloader.evidence.image import SYSTEM, judge_image, judge_name
from pyloader.evidence.item import NOTHING, Evidence
from pyloader.evidence.memo import Memo
from pyloader.evidence.one_liners import interpreted, judge_one_liner
from pyloader.evidence.piped import Pipelines, has_pipe
from pyloader.evidence.privilege import SPECIAL as SPECIAL_CREDENTIALS
from pyloader.evidence.privilege import judge_arguments, judge_bare, judge_credentials, judge_setuid, judge_shell
from pyloader.evidence.programs import Program, Programs, Role
from pyloader.evidence.script import judge_script
from pyloader.evidence.services import judge_child
from pyloader.evidence.shell import Argv, shell_code, wrapped
from pyloader.evidence.staging import Staging
from pyloader.evidence.sweeps import Sweeps
from pyloader.evidence.traits import Trait, traits_of
from pyloader.host import Host, Process
from pyloader.records import CgroupSeen, CredentialChange, ExecFlag, ProcessExec, ProcessSeen, Record, Stdio

MOST: Final = 3
"""How many items a record yields about one process."""

_INET: Final = int(Stdio.INET_SOCKET)
_SCRIPT: Final = int(ExecFlag.SCRIPT)
_SETUID: Final = int(ExecFlag.SETUID)
_RUNS_CODE: Final = Role.SHELL | Role.INTERPRETER


class ProcessEvidence:
    """Turns process records into evidence. One instance per pipeline: it holds what lies between records."""

    def __init__(self, staging: Staging) -> None:
        self._programs = Programs()
        self._customs = Customs(staging, self._programs)
        self._pipelines = Pipelines(self._programs)
        self._reconnaissance = Reconnaissance()
        self._downloads = Downloads()
        self._sweeps = Sweeps()
        self._code: Memo[str, tuple[Finding, ...]] = Memo()
        self._commands: Memo[tuple[str, Argv], tuple[Finding, ...]] = Memo()
        self.handlers: dict[type[Record], Handler] = {
            ProcessExec: self._executed,
            ProcessSeen: self._seen,
            CredentialChange: judge_credentials,
        }

    @property
    def learned(self) -> dict[str, object]:
        """What was learned, by name."""
        self._customs.settle()
        return {"customs": self._customs.contexts}

    def placed(self, record: CgroupSeen, _host: Host) -> tuple[Evidence, ...]:
        """Note which service a control group belongs to."""
        self._customs.placed(record)
        return NOTHING

    @property
    def evicted(self) -> dict[str, int]:
        """How many entries each table gave up for new ones."""
        return {
            "programs": self._programs.evicted,
            "customs": self._customs.evicted,
            "reconnaissance": self._reconnaissance.evicted,
            "downloads": self._downloads.evicted,
            "sweeps": self._sweeps.evicted,
            "code": self._code.evicted,
            "commands": self._commands.evicted,
        }

    def _seen(self, _record: ProcessSeen, process: Process, _host: Host) -> tuple[Evidence, ...]:
        """Note what a process that ran before the sensor is, unless that is known; how it started is past."""
        if not process.traits & Trait.JUDGED:
            self._note(process)
        return NOTHING

    def _executed(self, record: ProcessExec, process: Process, host: Host) -> tuple[Evidence, ...]:
        program, argv = self._programs.of(process)
        roles, flags = program.roles, process.flags
        before = process.traits
        if not before & Trait.JUDGED:
            before |= self._traits_of_parent(process)
        code = shell_code(argv) if roles & Role.SHELL and len(argv) > 1 else ""
        process.traits = traits = traits_of(program, argv, code, flags, before)

        found: list[Evidence] = []
        if flags & SPECIAL_IMAGE or not process.exe.startswith(SYSTEM) or "/." in process.exe:
            found += judge_image(process, program, before)
        if argv and argv[0] != program.name and argv[0] != process.comm:
            found += judge_name(process, program, self._programs.named(argv[0]))
        if flags & SPECIAL_CREDENTIALS:
            found += judge_setuid(record, process, program)
        rights = (before & Trait.PRIVILEGED or flags & _SETUID) != 0
        if roles & _RUNS_CODE:
            found += self._code_of(process, program, argv, code, before, rights=rights)
        elif len(argv) > 1 or program.name in RULES:
            found += self._command_of(process, program, argv, host, rights=rights)
        if (before | traits) & Trait.ORIGIN or roles & Role.ESCAPE:
            found += self._started_by(record, process, program, argv, before)
        if has_pipe(process):
            found += self._pipelines.judge(process, host.pipes)
        if roles & Role.DOWNLOADER:
            found += self._downloads.started(process, argv, record.timestamp)
        else:
            found += self._downloads.executed(process, program, argv, code, record.timestamp)
        found += self._sweeps.judge(process, program, argv, record.timestamp)
        found += self._reconnaissance.judge(process, program, argv, record.timestamp)
        found += self._customs.judge(record, process, found)
        return _strongest(found) if found else NOTHING

    def _note(self, process: Process) -> None:
        program, argv = self._programs.of(process)
        code = shell_code(argv) if program.roles & Role.SHELL else ""
        process.traits = traits_of(program, argv, code, 0, process.traits)

    def _traits_of_parent(self, process: Process) -> int:
        """Return the traits of the image before, for a process whose fork was not seen."""
        parent = process.parent
        if parent is None:
            return 0
        if not parent.traits & Trait.JUDGED:
            self._note(parent)
        return parent.traits

    def _command_of(
        self, process: Process, program: Program, argv: Argv, host: Host, *, rights: bool
    ) -> list[Evidence]:
        """Judge a program that runs no code by its arguments."""
        findings = self._named(argv, program.name)
        found = about(process, findings, rights=rights) if findings else []
        if container := host.containers.get(process.cgroup):
            found += escape_of(process, argv, program.name, container)
        return found

    def _named(self, argv: Argv, name: str) -> tuple[Finding, ...]:
        if name in RULES:
            return self._commands.get((name, argv), _judge_named)
        return judge_words(argv, name)

    def _code_of(
        self, process: Process, program: Program, argv: Argv, code: str, before: int, *, rights: bool
    ) -> list[Evidence]:
        """Judge a shell or an interpreter by its streams and by the code that it was given."""
        found: list[Evidence] = []
        if process.stdio & 0xF == _INET and process.stdio >> 4 & 0xF == _INET:
            serves = before & Trait.INETD and (process.flags & _SCRIPT or len(argv) > 1)
            origin = named(process.parent) if process.parent is not None else ""
            found.append((SOCKET_HANDLER if serves else SHELL_ON_SOCKET).about(process, origin))
        if before & Trait.RELAY:
            found.append(SHELL_FROM_RELAY.about(process))
        if program.roles & Role.SHELL:
            judge: Callable[[str], tuple[Finding, ...]] = judge_script
            if not code:
                found += judge_bare(process, program, argv, before)
        else:
            judge, code = judge_one_liner, interpreted(argv)
            if program.name in RULES:
                found += about(process, self._named(argv, program.name), rights=rights)
        if code:
            found += about(process, self._code.get(code, judge), rights=rights)
        return found

    def _started_by(
        self, record: ProcessExec, process: Process, program: Program, argv: Argv, before: int
    ) -> list[Evidence]:
        """Judge a program by who started it, and by the ways that it leaves to its user."""
        found: list[Evidence] = []
        if before & Trait.SERVICE and not program.roles & (Role.SERVER | Role.MAILER):
            found += judge_child(process, program, argv, before)
        if not program.roles & Role.ELEVATOR:
            found += judge_arguments(process, program, argv, before)
        elif inner := wrapped(argv, program.name):
            elevated = before | Trait.ELEVATOR | Trait.ELEVATED
            found += judge_arguments(process, self._programs.named(inner[0]), inner, elevated)
        if before & Trait.PRIVILEGED:
            found += judge_shell(record, process, program, argv, before)
        return found


def _judge_named(key: tuple[str, Argv]) -> tuple[Finding, ...]:
    name, argv = key
    return judge_words(argv, name)


def _strongest(found: list[Evidence]) -> tuple[Evidence, ...]:
    """Return the `MOST` strongest items of every process, each code once."""
    if len(found) == 1:
        return (found[0],)
    found.sort(key=_weakness)
    seen: dict[int, set[str]] = {}
    kept: list[Evidence] = []
    for item in found:
        codes = seen.setdefault(id(item.entity), set())
        if item.code not in codes and len(codes) < MOST:
            codes.add(item.code)
            kept.append(item)
    return tuple(kept)


def _weakness(item: Evidence) -> float:
    return -item.nats
