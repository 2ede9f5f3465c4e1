"""A program on the chosen interfaces, while they come and go."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack
from ipaddress import ip_address
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self, TypeVar

from pyloader.attach.events import LinkEvents, Moved
from pyloader.attach.namespaces import find_namespace
from pyloader.attach.xdp import Attachment, Link, attach, detach, links
from pyloader.errors import BusyError, ClosedError, LoadError, PyloaderError, UnsupportedError, UsageError

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

R = TypeVar("R")


class _Descriptor(Protocol):
    """What a program left behind is opened as."""

    def fileno(self) -> int:
        """Return the descriptor."""


OpenStale = Callable[[int], AbstractContextManager[_Descriptor] | None]
"""Takes a program's id; opens the program if it is ours and left behind, else returns `None`."""


_DEPARTED = 64
"""As many interfaces that were gone are remembered."""

_ATTEMPTS = 20
"""How often an interface is looked for in the namespace that it goes to."""

_PAUSE = 0.05
"""Seconds between the attempts when there is nothing else left to do."""


class _Moving(NamedTuple):
    """An interface on its way to another namespace."""

    moved: Moved
    attachment: Attachment
    attempts: int = 0


class Changes(NamedTuple):
    """What became of the chosen interfaces."""

    attached: list[Attachment]
    gone: list[Attachment]
    refused: dict[str, PyloaderError]
    """By name."""


class Interfaces:
    """Holds a program on the interfaces of these names, and knows the addresses of this network namespace.

    Entering attaches to those that exist and removes what earlier sensors left behind. Raises `UsageError` if there is
    no interface of a name, and what `pyloader.attach.xdp.attach` raises; then nothing is attached. Leaving detaches
    everywhere, in whatever network namespace an interface is by then.
    """

    def __init__(self, names: Sequence[str], program_fd: int, open_stale: OpenStale) -> None:
        self._names = tuple(dict.fromkeys(names))
        self._program_fd = program_fd
        self._open_stale = open_stale
        self._held = ExitStack()
        self._thread: ThreadPoolExecutor | None = None
        self._closed = False
        self.attachments: dict[int, Attachment] = {}
        self.refused: dict[int, PyloaderError] = {}
        """Interfaces that appeared and could not be watched, by number."""
        self._departed: dict[int, Attachment] = {}
        self._moving: list[_Moving] = []

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when there is something to follow."""
        return self._events.fileno()

    def addresses(self) -> dict[bytes, int]:
        """Return the addresses of the interfaces that are watched, 16 bytes each, and the interfaces' numbers."""
        return self._do(self._find_addresses)

    def _find_addresses(self) -> dict[bytes, int]:
        found = {}
        for message in self._route.get_addr():
            raw = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
            number = int(message["index"])
            if raw and number in self.attachments:
                packed = ip_address(str(raw).partition("%")[0]).packed
                mapped = packed if len(packed) == 16 else bytes(10) + b"\xff\xff" + packed  # noqa: PLR2004 -- IPv6.
                found[mapped] = number
        return found

    def follow(self) -> Changes | None:
        """Bring the attachments up to date with the interfaces; return what changed, or `None` if nothing happened."""
        if self._closed:
            return None
        changed = self._take_events()
        return self._do(lambda: self._catch_up(changed=changed)) if changed or self._moving else None

    def choose(self, names: Sequence[str]) -> Changes:
        """Hold the program on the interfaces of these names from now on; return what changed.

        Raises what entering raises, and then all is as before. Where the program was and is to be, it stays.
        """
        return self._do(lambda: self._change(tuple(dict.fromkeys(names))))

    def close(self) -> None:
        """Detach everywhere. Further calls do nothing."""
        self._closed = True
        thread, self._thread = self._thread, None
        if thread is not None:
            with thread:
                thread.submit(self._held.close).result()

    def _do(self, work: Callable[[], R]) -> R:
        """Return what a function returns that uses pyroute2.

        pyroute2 keeps a socket and an event loop for each thread that uses it, and can do nothing in a thread that runs
        an event loop already. So it has a thread of its own, which whoever reads may call from any other.
        """
        if self._thread is None:
            message = "the interfaces are not watched"
            raise ClosedError(message)
        return self._thread.submit(work).result()

    def _catch_up(self, *, changed: bool) -> Changes | None:
        lost = self._finish_moves()
        if not changed and not lost:
            return None
        changes = self._reconcile(links(self._route))
        changes.refused.update(lost)
        return changes

    def _open(self) -> None:
        # It takes half a second to import, which only those pay who watch interfaces.
        try:
            from pyroute2 import IPRoute  # noqa: PLC0415 -- see above.
        except ImportError as error:
            message = f"pyroute2 puts programs on interfaces, and cannot be imported: {error}; pip install pyroute2"
            raise UnsupportedError(message) from error

        self._route: Any = self._held.enter_context(IPRoute())
        self._events = LinkEvents()
        self._held.callback(self._events.close)
        self._held.callback(self._detach_all)

    def _begin(self) -> None:
        present = links(self._route)
        _require(self._names, present)
        sweep(self._route, present, self._open_stale)
        for link in links(self._route):
            if link.name in self._names:
                self.attachments[link.number] = attach(self._route, link, self._program_fd)

    def _change(self, names: tuple[str, ...]) -> Changes:
        present = links(self._route)
        _require(set(names) - set(self._names), present)
        changes = Changes([], [], {})
        watched = {one.name for one in self.attachments.values()}
        try:
            for link in present:
                if link.name in names and link.name not in watched and link.number not in self.attachments:
                    changes.attached.append(attach(self._route, link, self._program_fd))
        except BaseException:
            for one in changes.attached:
                detach(self._route, one.number, one.mode, self._program_fd)
            raise
        for number, one in list(self.attachments.items()):
            if one.name not in names:
                changes.gone.append(self.attachments.pop(number))
                detach(self._route, number, one.mode, self._program_fd)
        self.attachments |= {one.number: one for one in changes.attached}
        self._names = names
        return changes

    def _reconcile(self, present: list[Link]) -> Changes:
        """Drop what is gone and attach to what has appeared. A renamed interface stays watched."""
        here = {link.number for link in present}
        gone = [self.attachments.pop(number) for number in list(self.attachments) if number not in here]
        # In the middle of a move an interface is in neither namespace, and the message about the move comes later.
        self._departed |= {one.number: one for one in gone}
        for number in list(self._departed)[:-_DEPARTED]:
            del self._departed[number]
        self.refused = {index: error for index, error in self.refused.items() if index in here}
        changes = Changes([], gone, {})
        watched = {one.name for one in self.attachments.values()}
        for link in present:
            if link.name not in self._names or link.number in self.attachments or link.name in watched:
                continue
            try:
                attachment = attach(self._route, link, self._program_fd)
            except (BusyError, UnsupportedError, LoadError) as error:
                if str(error) != str(self.refused.get(link.number, "")):
                    changes.refused[link.name] = error
                self.refused[link.number] = error
                continue
            self.refused.pop(link.number, None)
            self.attachments[link.number] = attachment
            changes.attached.append(attachment)
        return changes

    def _take_events(self) -> bool:
        """Note which interfaces of ours go to other namespaces; return whether anything happened at all."""
        changed, moved = self._events.take()
        for one in moved:
            attachment = self.attachments.get(one.number) or self._departed.pop(one.number, None)
            if attachment is not None:
                self._moving.append(_Moving(one, attachment))
        return changed

    def _finish_moves(self) -> dict[str, PyloaderError]:
        """Detach from interfaces that have arrived in other namespaces; return those that are out of reach, by name."""
        lost: dict[str, PyloaderError] = {}
        still: list[_Moving] = []
        for one in self._moving:
            if self._detach_there(one):
                continue
            if one.attempts < _ATTEMPTS:
                still.append(one._replace(attempts=one.attempts + 1))
                continue
            name = one.attachment.name
            message = f"{name} went to a network namespace out of reach, and took the program along"
            lost[name] = UnsupportedError(message)
        self._moving = still
        return lost

    def _detach_there(self, moving: _Moving) -> bool:
        """Detach from an interface in its new namespace; return whether it was there."""
        from pyroute2 import IPRoute  # noqa: PLC0415 -- see above.

        file = find_namespace(self._route, moving.moved.namespace)
        if file is None:
            return False
        try:
            with IPRoute(netns=str(file)) as there:
                return detach(there, moving.moved.new_number, moving.attachment.mode, self._program_fd)
        except OSError:
            return False

    def _detach_all(self) -> None:
        self._take_events()
        for one in self._moving:
            self.attachments.pop(one.moved.number, None)
        while self.attachments:
            number, attachment = self.attachments.popitem()
            detach(self._route, number, attachment.mode, self._program_fd)
        while self._moving:
            self._finish_moves()
            time.sleep(_PAUSE if self._moving else 0)

    def __enter__(self) -> Self:
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 -- needed only for interfaces, too.

        self._thread = ThreadPoolExecutor(1, "pyloader interfaces")
        try:
            self._do(self._open)
            self._do(self._begin)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _require(names: Iterable[str], present: Iterable[Link]) -> None:
    """Raise `UsageError` unless there are interfaces of these names."""
    here = [link.name for link in present]
    missing = set(names) - set(here)
    if missing:
        message = f"there is no interface {', '.join(sorted(missing))}; there are: {', '.join(here)}"
        raise UsageError(message)


def sweep_all(open_stale: OpenStale) -> list[Link]:
    """Detach what earlier sensors left behind on any interface of this network namespace; return those interfaces."""
    from pyroute2 import IPRoute  # noqa: PLC0415 -- see above.

    with IPRoute() as route:
        return sweep(route, links(route), open_stale)


def sweep(route: Any, present: Iterable[Link], open_stale: OpenStale) -> list[Link]:  # noqa: ANN401 -- as in xdp.
    """Detach the programs that earlier sensors left behind; return the interfaces they were on."""
    swept = []
    for link in present:
        stale = open_stale(link.program) if link.program else None
        if stale is not None:
            with stale as program:
                if detach(route, link.number, link.mode, program.fileno()):
                    swept.append(link)
    return swept
