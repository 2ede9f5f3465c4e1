"""What programs are used to: whom they start, as whom they run, and with arguments of which form.

Four tables are kept of every execution, and what is new in one among many is evidence (`rarity`):

    parent     -> the program that it starts
    service    -> the programs that run in its control group
    program    -> root, a system account, or a user
    program    -> the skeleton of its arguments

A program that is new to its parent may be one that the whole host has never run. That is rarer, by the share r of the
new children that were new to the host as well: the escape to the next shorter context, as in prediction by partial
matching (Cleary and Witten, 1984), so p = p(new to the parent) · r. Of several things that are new about one execution
only the most surprising is told, since they depend on each other; so p counts as often as there were tables to be
surprised by (Bonferroni). A shell, an interpreter or a wrapper does what it is told: neither its arguments nor what it
starts say anything by being new; what is new to the service that it belongs to does.

Most executions are repetitions. Those are only counted, and entered into the tables once a second.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from pyloader.evidence.catalogue import NEW_ARGUMENTS, NEW_CHILD, NEW_IN_SERVICE, NEW_USER, Kind
from pyloader.evidence.files import TEMPORARY
from pyloader.evidence.habits import context_of
from pyloader.evidence.item import Evidence, Group
from pyloader.evidence.novelty import Contexts, Table
from pyloader.evidence.programs import Programs, Role, base_name
from pyloader.evidence.rarity import Experiences
from pyloader.evidence.skeleton import skeleton, without_numbers
from pyloader.evidence.staging import Staging
from pyloader.host import Process
from pyloader.records import CgroupSeen, ExecFlag, ProcessExec, text

CONTEXTS: Final = 8_192
"""So many contexts each of two generations holds, for all tables together."""

REPETITIONS: Final = 4_096
"""So many different executions are known as repetitions, and forms of arguments; then all are looked up anew."""

SERVICES: Final = 4_096
SETTLES_EVERY_NS: Final = 1_000_000_000

_DOES_ANYTHING: Final = Role.SHELL | Role.INTERPRETER | Role.WRAPPER
_SCRIPT: Final = int(ExecFlag.SCRIPT)
_USERS_FROM: Final = 1_000
_NOBODY: Final = 65_534

_Key = tuple[str, str, int, str, int]


class _Entry(NamedTuple):
    """What an execution is in one table."""

    table: Table[str]
    context: str
    symbol: str
    kind: Kind
    child: bool
    """Whether it is about what was started, and not about how."""


class _Repetition:
    """An execution of which everything is known: what it is in which tables, and how often it came of late."""

    __slots__ = ("entries", "times")

    def __init__(self, entries: list[_Entry]) -> None:
        self.entries = entries
        self.times = 0


class Customs:
    """What all programs of this host are used to. `contexts` is what was learned."""

    def __init__(self, staging: Staging, programs: Programs) -> None:
        self.contexts: Contexts = Experiences(CONTEXTS)
        self._staging = staging
        self._programs = programs
        self._children = self._table("child")
        self._services = self._table("service")
        self._users = self._table("user")
        self._arguments = self._table("arguments")
        self._strangers = self._table("stranger")
        self._skeletons: dict[bytes, str] = {}
        self._service_of: dict[int, str] = {}
        self._repetitions: dict[_Key, _Repetition] = {}
        self._counted: list[_Repetition] = []
        self._counted_at = 0

    @property
    def evicted(self) -> int:
        """How many contexts were forgotten."""
        return self.contexts.evicted

    def placed(self, record: CgroupSeen) -> None:
        """Learn which service a control group belongs to."""
        service = service_of(text(record.path))
        if self._service_of.get(record.cgroup, "") == service:
            return
        if len(self._service_of) >= SERVICES:
            del self._service_of[next(iter(self._service_of))]
        self._service_of[record.cgroup] = service
        self._repetitions = {}

    def judge(self, record: ProcessExec, process: Process, found: Sequence[Evidence] = ()) -> Sequence[Evidence]:
        """Judge an execution by what is new about it; `found` is what else speaks against it."""
        parent, now = process.parent, record.timestamp
        image = process.filename if process.flags & _SCRIPT else process.exe
        args = without_numbers(record.args)
        form = self._skeletons.get(args)
        if form is None:
            form = self._form(args)
        key = (parent.exe if parent is not None else "", image, process.uid, form, process.cgroup)
        repetition = self._repetitions.get(key)
        if repetition is None:
            return self._judge_new(process, image, key, now, accused=bool(found))
        if now >= self._staging.frozen_until:
            if repetition.times == 0:
                if not self._counted:
                    self._counted_at = now
                self._counted.append(repetition)
            repetition.times += 1
        return ()

    def settle(self) -> None:
        """Enter what was only counted into the tables."""
        wall = self._counted_at + self._staging.offset
        for repetition in self._counted:
            for entry in repetition.entries:
                entry.table.learn(entry.context, entry.symbol, repetition.times, wall)
            repetition.times = 0
        self._counted = []

    def _judge_new(self, process: Process, image: str, key: _Key, now: int, *, accused: bool) -> Sequence[Evidence]:
        if now - self._counted_at >= SETTLES_EVERY_NS:
            self.settle()
        entries = self._entries(process, image, key[3])
        seen = [entry.table.of(entry.context, now) for entry in entries]
        strange = 1.0 if seen[0].seen else self._strangeness(now)
        weights = []
        known = True
        for entry, before in zip(entries, seen, strict=True):
            share = len(entries) * (strange if entry.child else 1.0)
            weights.append(entry.table.weigh(before, entry.context, entry.symbol, now, share=share))
            known = known and entry.symbol in before
        if known:
            self._repeat(key, entries)
        strongest = max(weights)
        told: list[Evidence] = []
        for entry, before, nats in zip(entries, seen, weights, strict=True):
            suspicious = accused or nats > 0.0
            if entry.child and not suspicious and entry.symbol not in before:
                self._estrange(process, now, new=strange < 1.0)
            number = int(before.seen)
            if (
                entry.table.take(before, process.lineage, entry.context, entry.symbol, now=now, suspicious=suspicious)
                and nats == strongest > 0.0
                and not told
            ):
                told += self._told(process, entry, number, nats, now)
        return told

    def _told(self, process: Process, entry: _Entry, number: int, nats: float, now: int) -> Sequence[Evidence]:
        nats = self._staging.afford(process.lineage, nats, now)
        if nats == 0.0:
            return ()
        what = _COUNTED[entry.kind.code].format(seen=number, of=base_name(entry.context), what=_name(entry.symbol))
        return (entry.kind.about(process, what, nats, entry.table.lesson(entry.context, entry.symbol)),)

    def _entries(self, process: Process, image: str, form: str) -> list[_Entry]:
        program, child = _folded(context_of(process)), _folded(image)
        entries = [_Entry(self._users, program, user_of(process.uid), NEW_USER, child=False)]
        if not self._does_anything(process):
            entries.append(_Entry(self._arguments, program, form, NEW_ARGUMENTS, child=False))
        if service := self._service_of.get(process.cgroup, ""):
            entries.append(_Entry(self._services, service, child, NEW_IN_SERVICE, child=True))
        parent = process.parent
        if parent is not None and parent.exe and not self._does_anything(parent):
            entries.append(_Entry(self._children, _folded(context_of(parent)), child, NEW_CHILD, child=True))
        return entries

    def _does_anything(self, process: Process) -> bool:
        return self._programs.named(process.exe or process.comm).roles & _DOES_ANYTHING != 0

    def _estrange(self, process: Process, now: int, *, new: bool) -> None:
        """Count whether a child that was new in its context was new to the host as well."""
        if self._staging.admits(process.lineage, now, known=False):
            self._strangers.learn("", "new" if new else "known", 1.0, now + self._staging.offset)

    def _strangeness(self, now: int) -> float:
        """Return the probability (0 to 1) that a child that is new to its parent is new to the host as well."""
        strangers = self._strangers.of("", now)
        return (strangers.of("new") + 1) / (strangers.seen + 2)

    def _form(self, args: bytes) -> str:
        if len(self._skeletons) >= REPETITIONS:
            self._skeletons = {}
        form = self._skeletons[args] = skeleton(args)
        return form

    def _repeat(self, key: _Key, entries: list[_Entry]) -> None:
        if len(self._repetitions) >= REPETITIONS:
            self._repetitions = {}
        self._repetitions[key] = _Repetition(entries)

    def _table(self, name: str) -> Table[str]:
        return Table(name, Group.PROCESS, self._staging, self.contexts, encode=str, decode=str)


_COUNTED: Final = {
    NEW_CHILD.code: "{seen:,} programs that {of} started was ever {what}",
    NEW_IN_SERVICE.code: "{seen:,} programs of {of} was ever {what}",
    NEW_USER.code: "{seen:,} runs of {of} was ever by {what}",
    NEW_ARGUMENTS.code: "{seen:,} runs of {of} ever had arguments like {what}",
}


def user_of(uid: int) -> str:
    """Return the class of a user.

    >>> [user_of(uid) for uid in (0, 33, 1000, 65534)]
    ['root', 'a system account', 'a user', 'a system account']
    """
    if uid == 0:
        return "root"
    return "a system account" if uid < _USERS_FROM or uid == _NOBODY else "a user"


def service_of(path: str) -> str:
    """Return the service that a control group belongs to, all instances of a template as one, or an empty string.

    >>> service_of("/system.slice/system-getty.slice/getty@tty1.service"), service_of("/user.slice/session-3.scope")
    ('getty@.service', '')
    """
    for part in reversed(path.split("/")):
        if part.endswith(".service"):
            name, at, _ = part.partition("@")
            return f"{name}@.service" if at else part
    return ""


def _folded(image: str) -> str:
    """Return an image by its path; those in a place for temporary files are all one."""
    return "a temporary file" if image.removeprefix("container:").startswith(TEMPORARY) else image


def _name(symbol: str) -> str:
    return base_name(symbol) if symbol.startswith("/") else symbol or "none"
