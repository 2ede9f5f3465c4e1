"""A throw-away container of namespaces: one piece of work, for real, without a trace on this machine.

The root is this machine's, under an overlay in memory; processes, network, host name and IPC are apart (`world`). Each
piece of work is in a control group of its own, by which its records are known afterwards. Needs root and the unified
control groups; no container runtime.
"""

import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn, Self

import msgspec

from tests.detection import peer, world

LIMIT_SECONDS: Final = 10.0
LINGER_SECONDS: Final = 0.3
"""What was started in the background gets a moment of its own."""

USER: Final = "alice"
"""Who works where no rights are needed."""

UID: Final = 4242
"""The uid and gid of that user, which no machine has."""

_ENVIRONMENT: Final = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


class Work(msgspec.Struct, frozen=True):
    """One piece of work.

    `code` is for the shell `executor`, as its argument or, if `typed`, on its standard input. `peer` says what the
    other end of a connection at port 12345 does: `listen`, `call`, or `none`.
    """

    name: str
    code: str
    executor: str = "sh"
    elevated: bool = False
    typed: bool = False
    peer: str = "none"


class Done(msgspec.Struct, frozen=True):
    """What became of a piece of work: its control group, and the boot-time clock around it in nanoseconds."""

    name: str
    cgroup: int
    began: int
    ended: int
    status: int
    """The exit status of its shell; negative if it was ended after `LIMIT_SECONDS`."""
    errors: str = ""


class Containers:
    """Makes containers over what is prepared for them in `FOLDER/root`. Use as a context."""

    def __init__(self, folder: Path) -> None:
        self._prepared = folder / "root"
        self._errors = folder / "errors"
        self._groups = _unified() / f"pyloader-simulations-{os.getpid()}"
        self._count = 0

    def __enter__(self) -> Self:
        self._groups.mkdir()
        self._prepared.mkdir(exist_ok=True)
        _prepare_users(self._prepared)
        return self

    def __exit__(self, *_: object) -> None:
        self._groups.rmdir()

    def run(self, work: Work, limit: float = LIMIT_SECONDS) -> Done:
        """Do a piece of work to its end, or until the time is over."""
        self._count += 1
        group = self._groups / str(self._count)
        group.mkdir()
        began = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        try:
            status = self._run(work, group, limit)
            ended = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            errors = self._errors.read_text(errors="replace")[-500:]
            return Done(work.name, group.stat().st_ino, began, ended, status, errors)
        finally:
            _remove(group)

    def _run(self, work: Work, group: Path, limit: float) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if not pid:
            _guarded(lambda: self._outside(work, group))
        descriptor = os.pidfd_open(pid)
        try:
            ended, _, _ = select.select([descriptor], [], [], limit)
            if not ended:
                os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
        finally:
            os.close(descriptor)
        return os.waitstatus_to_exitcode(status) if ended else -1

    def _outside(self, work: Work, group: Path) -> int:
        (group / "cgroup.procs").write_text("0")
        os.setsid()
        errors = os.open(self._errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        nothing = os.open(os.devnull, os.O_RDWR)
        for number, descriptor in enumerate((nothing, nothing, errors)):
            os.dup2(descriptor, number)
        os.closerange(3, 256)
        world.leave()
        return _ended(_forked(lambda: self._inside(work)))

    def _inside(self, work: Work) -> int:
        """Be the first process of the container: with its end all others end."""
        world.die_with_parent()
        world.make(self._prepared)
        if work.peer == "listen":
            server = peer.server()
            _forked(lambda: peer.listen(server))
            server.close()
        elif work.peer == "call":
            _forked(peer.call)
        worker = _forked(lambda: _work(work))
        while True:
            pid, status = os.wait()
            if pid == worker:
                time.sleep(LINGER_SECONDS)
                return os.waitstatus_to_exitcode(status) & 0xFF


def _work(work: Work) -> NoReturn:
    home = Path("/root" if work.elevated else f"/home/{USER}")
    if work.typed:
        code = _typed(work)
        os.dup2(code, 0)
        os.close(code)
    world.become(0 if work.elevated else UID)
    os.chdir(home)
    name = "root" if work.elevated else USER
    environment = _ENVIRONMENT | {"HOME": str(home), "USER": name, "LOGNAME": name, "SHELL": "/bin/bash"}
    arguments = [] if work.typed else ["-c", work.code]
    os.execvpe(work.executor, [work.executor, *arguments], environment)  # noqa: S606 -- it is one.


def _typed(work: Work) -> int:
    """Return a file from which a shell reads what is typed into it; a pipe would be evidence of its own."""
    path = Path("/run/typed")
    path.write_text(work.code + "\n")
    return os.open(path, os.O_RDONLY)


def _forked(act: Callable[[], int | None]) -> int:
    """Let a child do something, and return its pid."""
    pid = os.fork()
    if not pid:
        _guarded(act)
    return pid


def _guarded(act: Callable[[], int | None]) -> NoReturn:
    """Do something in a forked child, and end it whatever happens."""
    status = 127
    try:
        status = act() or 0
    except BaseException:  # noqa: BLE001 -- nothing of the parent may go on in here.
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(status)


def _ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 0xFF


def _unified() -> Path:
    """Return where the unified control groups are mounted."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(place)
    message = "the unified control groups (cgroup2) are not mounted"
    raise RuntimeError(message)


def _remove(group: Path) -> None:
    """Remove a control group once its last process has gone."""
    for _ in range(200):
        try:
            group.rmdir()
        except OSError:
            time.sleep(0.01)
        else:
            return


def _prepare_users(folder: Path) -> None:
    """Write an account database with a user who has a home, and the things that users have."""
    etc, home = folder / "etc", folder / "home" / USER
    etc.mkdir(parents=True, exist_ok=True)
    lines = {
        "passwd": f"{USER}:x:{UID}:{UID}::/home/{USER}:/bin/bash\n",
        "group": f"{USER}:x:{UID}:\n",
        "shadow": f"{USER}:*:19000:0:99999:7:::\n",
    }
    for name, line in lines.items():
        (etc / name).write_text(Path("/etc", name).read_text() + line)
        (etc / name).chmod(0o640 if name == "shadow" else 0o644)
    (etc / "hosts").write_text(f"127.0.0.1 localhost throw-away\n{world.NETWORK} attacker.com\n")
    for place, owner in ((home, UID), (folder / "root", 0)):
        ssh = place / ".ssh"
        ssh.mkdir(parents=True, exist_ok=True)
        (place / ".bash_history").write_text("ls\ncd /tmp\n")
        (place / ".bashrc").write_text("# nothing\n")
        (place / ".profile").write_text("# nothing\n")
        (ssh / "authorized_keys").write_text("ssh-ed25519 AAAA nobody\n")
        for path in (place, *place.rglob("*")):
            os.chown(path, owner, owner)
        place.chmod(0o755 if owner else 0o700)
