"""The process that does the work: the first of the host that is recorded.

It runs as root in a mount namespace of its own, whose folders are overlays, and in the network of this machine. Asked
for a day by a line on standard input, it does the units of that day's timetable one after another, with short quiet
pauses, writes a line of JSON for each (when it began and ended on the boot-time clock) and then a line `done`.

Each service has a control group; what one starts is its child, as with the daemons of a real host. Visitors and
people's ssh clients belong to the other side of the cable: their group is not part of the recorded host.
"""

import contextlib
import json
import os
import pwd
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.calibration.cable import HOST, NAMESPACE
from tests.calibration.schedule import Unit, timetable

LIMIT = 60
"""Seconds after which a unit that hangs is killed."""

PAUSE = 0.015
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_TOOLS = Path(__file__).parent / "tools"
_SSH = ("-q", "-i", "/root/.ssh/days", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null")


class Host:
    """The services of the host, and how work gets in."""

    def __init__(self, groups: Path) -> None:
        self._groups = groups
        self._daemons: list[int] = []

    def boot(self) -> None:
        """Start what runs all day."""
        Path("/proc/self/comm").write_text("init")
        self._join("init.scope")
        Path("/srv/tools/groups").write_text(str(self._groups))
        self._daemon("postgresql", ["/srv/tools/postgresql/postgres", "-D", "/var/lib/postgresql/days"], "postgres")
        self._daemon("redis", ["redis-server", "--bind", "127.0.0.1", "--dir", "/srv/backup"], "redis")
        self._daemon("app", ["/usr/bin/python3", "/srv/tools/app.py"], "dev")
        self._daemon("api", ["node", "/srv/tools/app.js"], "dev")
        self._daemon("nginx", ["nginx", "-c", "/etc/nginx/nginx.conf", "-g", "daemon off;"])
        self._daemon("ssh", ["/usr/sbin/sshd", "-D", "-f", "/etc/ssh/sshd_config"])
        self._daemon("cron", ["cron", "-f"])
        self.run("cron", "sh /srv/tools/databases.sh", "root")

    def shut_down(self) -> None:
        """End what `boot` started, and what that started."""
        for pid in reversed(self._daemons):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        time.sleep(1)
        for file in sorted(self._groups.rglob("cgroup.procs")):
            for word in file.read_text().split():
                if int(word) != os.getpid():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(word), signal.SIGKILL)

    def do(self, unit: Unit) -> None:
        """Do one unit of work."""
        if unit.way == "visit":
            self._from_outside(["sh", "-c", unit.script], [])
        elif unit.way.startswith("login:"):
            user = unit.way.removeprefix("login:")
            self._from_outside(["ssh", "-tt", *_SSH, f"{user}@{HOST}"], unit.script.split("\n"))
        else:
            self.run(unit.way, unit.script, "dev" if unit.way == "runner" else "root")

    def run(self, service: str, script: str, user: str) -> None:
        """Let a service run a shell command, as a child of a child of it, and wait for its end."""
        pid = os.fork()
        if pid == 0:
            self._as_service(service, ["/bin/sh", "-c", script], user)
        self._wait(pid)

    def _as_service(self, service: str, command: list[str], user: str) -> None:
        """Be the service's process that starts the command and waits for it. Never returns."""
        try:
            self._join(f"system.slice/{service}.service")
            Path("/proc/self/comm").write_text(service[:15])
            os.setsid()
            child = os.fork()
            if child == 0:
                self._become(command, user)
            os.waitpid(child, 0)
        finally:
            os._exit(0)

    def _daemon(self, service: str, command: list[str], user: str = "root") -> None:
        pid = os.fork()
        if pid == 0:
            try:
                self._join(f"system.slice/{service}.service")
                os.setsid()
                self._become(command, user)
            finally:
                os._exit(1)
        self._daemons.append(pid)

    def _become(self, command: list[str], user: str) -> None:
        """Turn into a command of a user, without a terminal."""
        entry = pwd.getpwnam(user)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nothing, stream)
        os.closerange(3, 256)
        with contextlib.suppress(OSError):
            os.chdir(entry.pw_dir)
        if entry.pw_uid:
            os.initgroups(user, entry.pw_gid)
            os.setgid(entry.pw_gid)
            os.setuid(entry.pw_uid)
        environment = {
            key: value for key, value in os.environ.items() if key.startswith(("PIP_", "SSL_", "LANG", "npm_"))
        }
        environment |= {"HOME": entry.pw_dir, "USER": user, "LOGNAME": user, "SHELL": "/bin/sh", "PATH": _PATH}
        environment |= {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        if user == "dev":
            environment |= {"PATH": f"{_PATH}:/root/.cargo/bin", "RUSTUP_HOME": "/root/.rustup"}
        os.execvpe(command[0], command, environment)  # noqa: S606 -- no shell is wanted

    def _from_outside(self, command: Sequence[str], lines: Sequence[str]) -> None:
        """Run a command on the other side of the cable, and type lines into it."""
        outside = ["nsenter", f"--net=/run/netns/{NAMESPACE}", *command]
        pid = os.fork()
        if pid == 0:
            try:
                os.setsid()
                self._join("visitors")
                with subprocess.Popen(
                    outside, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
                ) as process:
                    _type(process, lines)
            finally:
                os._exit(0)
        self._wait(pid)

    def _wait(self, pid: int) -> None:
        """Wait for a child; one that hangs is killed with its session."""
        descriptor = os.pidfd_open(pid)
        try:
            if not select.select([descriptor], [], [], LIMIT)[0]:
                os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        finally:
            os.close(descriptor)

    def _join(self, name: str) -> None:
        folder = self._groups / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cgroup.procs").write_text(str(os.getpid()))


def _type(process: "subprocess.Popen[bytes]", lines: Sequence[str]) -> None:
    """Type each line when the prompt is there, or after some seconds, as people do who see what comes."""
    assert process.stdin is not None
    assert process.stdout is not None
    stream = process.stdout.fileno()
    for line in lines:
        shown = b""
        while not shown.endswith((b"$ ", b"# ")) and select.select([stream], [], [], 8)[0]:
            more = os.read(stream, 65536)
            if not more:
                return
            shown = (shown + more)[-100:]
        process.stdin.write(line.encode() + b"\n")
        process.stdin.flush()
    # What is typed while a program of the session flushes its input is lost, and that may be the last line.
    for _ in range(3):
        while select.select([stream], [], [], 4)[0]:
            if not os.read(stream, 65536):
                return
        process.stdin.write(b"exit\n")
        process.stdin.flush()
    process.kill()


def day(host: Host, seed: int, number: int) -> None:
    """Do the work of a day, and tell of each unit."""
    for unit in timetable(seed, number):
        time.sleep(PAUSE)
        begin = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        host.do(unit)
        end = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        told = {"day": number, "at": round(unit.at, 3), "kind": unit.kind, "way": unit.way, "begin": begin, "end": end}
        sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.write("done\n")
    sys.stdout.flush()


def main() -> None:
    """Prepare the host, then do one day for each line."""
    seed, groups, layers, corpus = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
    subprocess.run(["sh", _TOOLS / "prepare.sh", layers, _TOOLS, corpus], check=True, stdout=sys.stderr)
    host = Host(groups)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        host.boot()
        sys.stdout.write("done\n")
        sys.stdout.flush()
        for line in sys.stdin:
            day(host, seed, int(line))
    finally:
        host.shut_down()


if __name__ == "__main__":
    main()
