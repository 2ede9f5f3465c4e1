"""A throw-away container of namespaces: one piece of work, for real, without a trace on this machine.

The root is this machine's, under an overlay in memory; processes, network, host name and IPC are apart; the clock,
modules, devices and BPF are out of reach (`enter.sh`). Each piece of work is in a control group of its own, by which
its records are known afterwards. Needs root and the unified control groups; no container runtime.
"""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Final, Self

import msgspec

HERE: Final = Path(__file__).parent
LIMIT_SECONDS: Final = 10.0
USER: Final = "alice"
"""Who works where no rights are needed; uid and gid 4242, which no machine has."""

_UID: Final = 4242
_UNSHARE: Final = ("unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child")


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
        self._groups = _unified() / f"pyloader-simulations-{os.getpid()}"
        self._count = 0

    def __enter__(self) -> Self:
        self._groups.mkdir()
        self._prepared.mkdir(exist_ok=True)
        self._prepared.chmod(0o755)
        _prepare_users(self._prepared)
        return self

    def __exit__(self, *_: object) -> None:
        self._groups.rmdir()

    def run(self, work: Work, limit: float = LIMIT_SECONDS) -> Done:
        """Do a piece of work to its end, or until the time is over."""
        self._count += 1
        group = self._groups / str(self._count)
        group.mkdir()
        self._write_launcher(work)
        began = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        try:
            status, errors = self._run(work, group, limit)
            ended = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            return Done(work.name, group.stat().st_ino, began, ended, status, errors)
        finally:
            _remove(group)

    def _write_launcher(self, work: Work) -> None:
        place = self._prepared / "job"
        place.mkdir(exist_ok=True)
        place.chmod(0o755)
        shutil.copy(HERE / "peer.py", place)
        (place / "code").write_text(work.code)
        begin = "cd; " if not work.elevated else "cd /root; "
        end = "</job/code" if work.typed else '-c "$(cat /job/code)" </dev/null'
        (place / "launch").write_text(f"{begin}exec {work.executor} {end}\n")

    def _run(self, work: Work, group: Path, limit: float) -> tuple[int, str]:
        user = "root" if work.elevated else USER
        enter: list[str] = [*_UNSHARE, "sh", str(HERE / "enter.sh"), str(self._prepared), user, work.peer]
        options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        join = (group / "cgroup.procs").write_text
        with subprocess.Popen(
            enter,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: join("0"),  # noqa: PLW1509 -- there are no threads here.
            start_new_session=True,
            **options,
        ) as process:
            try:
                _, errors = process.communicate(timeout=limit)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                _, errors = process.communicate()
                return -1, errors.decode(errors="replace")[-500:]
            return process.returncode, errors.decode(errors="replace")[-500:]


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
        "passwd": f"{USER}:x:{_UID}:{_UID}::/home/{USER}:/bin/bash\n",
        "group": f"{USER}:x:{_UID}:\n",
        "shadow": f"{USER}:*:19000:0:99999:7:::\n",
    }
    for name, line in lines.items():
        (etc / name).write_text(Path("/etc", name).read_text() + line)
        (etc / name).chmod(0o640 if name == "shadow" else 0o644)
    (etc / "hosts").write_text("127.0.0.1 localhost throw-away\n203.0.113.9 attacker.com\n")
    for place, owner in ((home, _UID), (folder / "root", 0)):
        ssh = place / ".ssh"
        ssh.mkdir(parents=True, exist_ok=True)
        (place / ".bash_history").write_text("ls\ncd /tmp\n")
        (place / ".bashrc").write_text("# nothing\n")
        (place / ".profile").write_text("# nothing\n")
        (ssh / "authorized_keys").write_text("ssh-ed25519 AAAA nobody\n")
        for path in (place, *place.rglob("*")):
            os.chown(path, owner, owner)
        place.chmod(0o755 if owner else 0o700)
