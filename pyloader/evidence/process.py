"""The evidence of process records: for every record zero to three items per process.

An exec passes through the questions below, the cheap ones first. Each looks only at programs and flags that concern
it, so an ordinary command costs a few lookups.
"""

from collections.abc import Callable
from typing import Any, Final

from pyloader.evidence import catalogue
from pyloader.evidence.catalogue import Finding
from pyloader.evidence.code import one_liner, scrambled
from pyloader.evidence.commands import RULES, judge
from pyloader.evidence.discovery import Reconnaissance
from pyloader.evidence.downloads import Downloads
from pyloader.evidence.files import mentioned
from pyloader.evidence.image import SPECIAL as SPECIAL_IMAGE
from pyloader.evidence.image import SYSTEM, judge_claim, judge_image, judge_name
from pyloader.evidence.item import Evidence
from pyloader.evidence.memo import Memo
from pyloader.evidence.piped import Pipelines, has_pipe
from pyloader.evidence.privilege import SPECIAL as SPECIAL_CREDENTIALS
from pyloader.evidence.privilege import judge_arguments, judge_credentials, judge_setuid, judge_shell
from pyloader.evidence.programs import Program, Programs, Role, base_name
from pyloader.evidence.script import judge_script
from pyloader.evidence.services import judge_child
from pyloader.evidence.shell import shell_code, unwrapped, wrapped
from pyloader.evidence.traits import Trait
from pyloader.host import Host, Process
from pyloader.records import AnyRecord, CredentialChange, ExecFlag, ProcessExec, ProcessSeen, Record, Stdio

MOST: Final = 3
"""How many items a record yields about one process."""

NOTHING: Final[tuple[Evidence, ...]] = ()

_INET: Final = int(Stdio.INET_SOCKET)
_SETUID: Final = int(ExecFlag.SETUID)
_CODE_ROLES: Final = Role.SHELL | Role.INTERPRETER
_SERVICE_TRAITS: Final = Trait.SERVER | Trait.MAILER | Trait.APPLICATION
_ORIGIN_TRAITS: Final = _SERVICE_TRAITS | Trait.RELAY | Trait.ELEVATED | Trait.WAS_SETUID | Trait.SETUID


class ProcessEvidence:
    """Turns process records into evidence. One instance per pipeline: it holds what lies between records."""

    def __init__(self) -> None:
        self._programs = Programs()
        self._pipelines = Pipelines(self._programs)
        self._reconnaissance = Reconnaissance()
        self._downloads = Downloads()
        self._code: Memo[str, tuple[Finding, ...]] = Memo()
        self._assess: dict[type[Record], Callable[[Any, Process, Host], tuple[Evidence, ...]]] = {
            ProcessExec: self._executed,
            ProcessSeen: self._seen,
            CredentialChange: self._credentials,
        }

    def assess(self, record: AnyRecord, process: Process, host: Host) -> tuple[Evidence, ...]:
        """Return the evidence of a record; `process` is the one it is about, as the record has left it."""
        assess = self._assess.get(type(record))
        return assess(record, process, host) if assess is not None else NOTHING

    @property
    def evicted(self) -> dict[str, int]:
        """How many entries each table gave up for new ones."""
        return {
            "programs": self._programs.evicted,
            "reconnaissance": self._reconnaissance.evicted,
            "downloads": self._downloads.evicted,
            "code": self._code.evicted,
        }

    def _seen(self, record: ProcessSeen, process: Process, host: Host) -> tuple[Evidence, ...]:
        """Note what a process that ran before the sensor is; what it was started with is past."""
        program = self._programs.of(process)
        process.traits = _traits(process, program, shell_code(process.args), 0)
        return NOTHING

    def _credentials(self, record: CredentialChange, process: Process, host: Host) -> tuple[Evidence, ...]:
        return tuple(judge_credentials(record, process))

    def _executed(self, record: ProcessExec, process: Process, host: Host) -> tuple[Evidence, ...]:
        program = self._programs.of(process)
        roles, args, flags = program.roles, process.args, process.flags
        before = process.traits
        if not before & Trait.JUDGED:
            before |= self._origin(process)
        code = shell_code(args) if roles & Role.SHELL and len(args) > 1 else ""
        process.traits = traits = _traits(process, program, code, before)

        found: list[Evidence] = []
        if flags & SPECIAL_IMAGE or not process.exe.startswith(SYSTEM) or "/." in process.exe:
            found += judge_image(process, program)
        if args and args[0] != program.name and args[0] != process.comm:
            found += self._named_otherwise(process, program)
        if flags & SPECIAL_CREDENTIALS:
            found += judge_setuid(record, process, program)
        if roles & _CODE_ROLES:
            found += self._runs_code(process, program, code, before)
        if (before | traits) & _ORIGIN_TRAITS or roles & Role.ESCAPE:
            found += self._started_by(record, process, program, before)
        if len(args) > 1 and not roles & _CODE_ROLES:
            found += self._command(process, program, host)
        if has_pipe(process):
            found += self._pipelines.judge(process, host.pipes)
        if roles & Role.DOWNLOADER:
            found += self._downloads.started(process, record.timestamp)
        else:
            found += self._downloads.executed(process, program, code, record.timestamp)
        found += self._reconnaissance.judge(process, program, record.timestamp)
        return _strongest(found) if found else NOTHING

    def _origin(self, process: Process) -> int:
        """Return the traits of the image before, for a process whose fork was not seen."""
        parent = process.parent
        if parent is None:
            return 0
        if not parent.traits & Trait.JUDGED:
            parent.traits |= _traits(parent, self._programs.of(parent), shell_code(parent.args), parent.traits)
        return parent.traits

    def _named_otherwise(self, process: Process, program: Program) -> list[Evidence]:
        claimed = self._programs.named(process.args[0])
        if claimed.name in (program.name, process.comm):
            return []
        items = (judge_name(process, program, process.args[0]), judge_claim(process, program, claimed))
        return [item for item in items if item is not None]

    def _runs_code(self, process: Process, program: Program, code: str, before: int) -> list[Evidence]:
        """Judge a shell or an interpreter by its streams and by the code that it was given."""
        found: list[Evidence] = []
        args = process.args
        if process.stdio & 0xF == _INET and process.stdio >> 4 & 0xF == _INET:
            handler = before & Trait.INETD and (process.flags & int(ExecFlag.SCRIPT) or len(args) > 1)
            origin = catalogue.named(process.parent) if process.parent else ""
            found.append((catalogue.SOCKET_HANDLER if handler else catalogue.SHELL_ON_SOCKET).about(process, origin))
        if before & Trait.RELAY:
            found.append(catalogue.SHELL_FROM_RELAY.about(process))
        if len(args) > 1:
            code = code or (_interpreted(args) if program.roles & Role.INTERPRETER else "")
            if code:
                judge_code = judge_script if program.roles & Role.SHELL else one_liner_or_scrambled
                found += [kind.about(process, what) for kind, what in self._code.get(code, judge_code)]
        return found

    def _started_by(self, record: ProcessExec, process: Process, program: Program, before: int) -> list[Evidence]:
        found: list[Evidence] = []
        if before & _SERVICE_TRAITS and program.roles & _SERVER_ROLES == 0:
            found += judge_child(process, program, before)
        if program.roles & Role.ELEVATOR:
            argv = wrapped(process.args, program.name)
            if argv:
                found += judge_arguments(
                    process, self._programs.named(argv[0]), argv, before | Trait.ELEVATOR | Trait.ELEVATED
                )
        else:
            found += judge_arguments(process, program, process.args, before)
        if before & (Trait.ELEVATED | Trait.WAS_SETUID | Trait.SETUID):
            shell = judge_shell(record, process, program, before)
            if shell is not None:
                found.append(shell)
        return found

    def _command(self, process: Process, program: Program, host: Host) -> list[Evidence]:
        args = process.args
        if program.name in RULES:
            findings = judge(args, program.name)
        else:
            secret = mentioned(args, program.name)
            if secret is None:
                return []
            findings = [secret]
        found = [kind.about(process, what) for kind, what in findings]
        if program.name in ("nsenter", "mount", "insmod", "modprobe") and (
            container := host.containers.get(process.cgroup)
        ):
            if program.name != "mount" or any(word.startswith("/dev/") for word in args[1:]):
                found.append(catalogue.CONTAINER_ESCAPE.about(process, f"{container}: {' '.join(args)}"))
        return found


_SERVER_ROLES: Final = Role.SERVER | Role.MAILER


def one_liner_or_scrambled(code: str) -> tuple[Finding, ...]:
    """Judge a one-liner by what it does and by what it hides."""
    hidden = scrambled(code)
    return (*one_liner(code), hidden) if hidden else one_liner(code)


def _interpreted(args: tuple[str, ...]) -> str:
    """Return the code that an interpreter was given as an argument."""
    for position, word in enumerate(args[1:-1], start=2):
        if not word.startswith("-"):
            return word if "/inet/" in word else ""
        if (
            word[1:2] != "-"
            and word[-1] in "cerEx"
            or word in ("--eval", "--execute", "-eval", "--print", "-pe", "-ne")
        ):
            return args[position]
    return args[-1] if len(args) > 1 and len(args[-1]) > 3 and args[-1].startswith(("-e", "-c", "-r")) else ""


def _traits(process: Process, program: Program, code: str, before: int) -> int:
    """Return what is to be noted on a process that runs this program."""
    roles = program.roles
    traits = before & ~Trait.IMAGE | Trait.JUDGED
    if roles & _NOTED:
        if roles & Role.SERVER:
            traits |= Trait.SERVER
        elif roles & Role.MAILER:
            traits |= Trait.MAILER
        elif roles & Role.APPLICATION and not _is_one_liner(process.args):
            traits |= Trait.APPLICATION
        if roles & Role.ELEVATOR:
            traits |= Trait.ELEVATOR | Trait.ELEVATED
        elif roles & Role.SHELL:
            traits |= Trait.SHELL
            if code:
                traits |= Trait.COMMAND | before & Trait.ELEVATOR
        if roles & Role.TERMINAL:
            traits |= Trait.TERMINAL
        elif roles & Role.ESCAPE:
            traits |= Trait.ESCAPE
        if roles & Role.INETD:
            traits |= Trait.INETD
        if roles & Role.RELAY and any(
            f.kind is catalogue.RELAY_RUNS_PROGRAM for f in judge(process.args, program.name)
        ):
            traits |= Trait.RELAY
    if process.flags & _SETUID and not roles & (Role.ELEVATOR | Role.TERMINAL):
        traits |= Trait.SETUID | Trait.WAS_SETUID
    return traits


_NOTED: Final = (
    Role.SERVER
    | Role.MAILER
    | Role.APPLICATION
    | Role.ELEVATOR
    | Role.SHELL
    | Role.ESCAPE
    | Role.INETD
    | Role.RELAY
    | Role.TERMINAL
)


def _is_one_liner(args: tuple[str, ...]) -> bool:
    return any(word in ("-e", "-p", "--eval", "--version", "-v") for word in args[1:2])


def _strongest(found: list[Evidence]) -> tuple[Evidence, ...]:
    """Return the `MOST` strongest items of every process, each code once."""
    found.sort(key=_strength)
    seen: dict[tuple[int, int], set[str]] = {}
    kept: list[Evidence] = []
    for item in found:
        codes = seen.setdefault((item.process.pid, item.process.start), set())
        if item.code not in codes and len(codes) < MOST:
            codes.add(item.code)
            kept.append(item)
    return tuple(kept)


def _strength(item: Evidence) -> float:
    return -item.nats
