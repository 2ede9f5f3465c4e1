"""Every field of the process monitor's records, from real processes, on each rung and by each transport."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TypeVar

import pytest

from pyloader import Assessment
from pyloader.monitors import Monitor
from pyloader.records import (
    CredentialChange,
    ExecFlag,
    Explanation,
    ProcessExec,
    ProcessExit,
    ProcessFork,
    Record,
    Stdio,
    text,
)
from tests.kernel.observing import Observe, run

R = TypeVar("R", bound=Record)

NOBODY = 65534


def of_type(kind: type[R], assessments: list[Assessment]) -> list[R]:
    """Return the records of one type."""
    return [one.record for one in assessments if isinstance(one.record, kind)]


def the_exec(assessments: list[Assessment], *args: str | Path | bytes) -> ProcessExec:
    """Return the one execution with these arguments."""
    wanted = b"".join(os.fsencode(word) + b"\0" for word in args)
    (found,) = [record for record in of_type(ProcessExec, assessments) if record.args == wanted]
    return found


def test_exec_tells_the_image_and_its_arguments(observe: Observe, programs: Path) -> None:
    """An exec record holds the absolute image, the name it was called by, and every argument to the byte."""
    words = ["./nothing", "", "two words", "ünïcode", "\udcff\udcfe", "line\nbreak"]

    record = the_exec(observe(lambda: run(words, cwd=programs)), *words)

    assert os.fsencode(programs / "nothing") == record.exe
    assert record.filename == b"./nothing"
    assert text(record.comm) == "nothing"
    assert sum(len(os.fsencode(word)) + 1 for word in words) == record.args_size
    image = (programs / "nothing").stat()
    assert image.st_ino == record.inode
    assert (os.major(image.st_dev), os.minor(image.st_dev)) == (record.device >> 20, record.device & 0xFFFFF)
    assert ExecFlag(0) == record.flags


def test_exec_tells_who_runs_it(observe: Observe, programs: Path) -> None:
    """An exec record holds pid, parent, session, ids, capabilities and namespaces of the process."""
    seen: list[int] = []

    def action() -> None:
        with subprocess.Popen([programs / "nothing", "who"]) as child:
            seen.append(child.pid)

    record = the_exec(observe(action), programs / "nothing", "who")

    assert seen == [record.pid]
    assert os.getpid() == record.ppid
    assert os.getsid(0) == record.session
    assert (os.getuid(), os.geteuid(), os.getgid()) == (record.uid, record.euid, record.gid)
    status = Path("/proc/self/status").read_text()
    assert int(status.split("CapEff:")[1].split()[0], 16) == record.capabilities
    assert Path("/proc/self/ns/pid").stat().st_ino == record.pid_namespace
    assert Path("/proc/self/ns/mnt").stat().st_ino == record.mount_namespace
    assert Path("/proc/self/comm").read_text().strip() == text(record.parent_comm)


def test_start_time_is_that_of_proc(observe: Observe) -> None:
    """The start time of a process, and of its parent, is the one in /proc, but finer."""
    ticks: list[int] = []

    def action() -> None:
        with subprocess.Popen(["sleep", "0.05"]) as child:
            ticks.append(int(Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[19]))

    record = the_exec(observe(action), "sleep", "0.05")

    assert ticks == [record.start // 10_000_000]
    own = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    assert own == record.parent_start // 10_000_000


@pytest.mark.parametrize(("size", "flags"), [(4000, ExecFlag(0)), (20_000, ExecFlag.ARGUMENTS_TRUNCATED)])
def test_long_arguments_are_cut_and_say_so(observe: Observe, programs: Path, size: int, flags: ExecFlag) -> None:
    """Arguments beyond 4,096 bytes are cut there; their true length is told and the record is flagged."""
    word = "x" * size
    name = os.fsencode(programs / "nothing") + b"\0"

    records = of_type(ProcessExec, observe(lambda: run([programs / "nothing", word])))

    (record,) = [one for one in records if one.args.startswith(name + b"x")]
    whole = name + word.encode() + b"\0"
    assert whole[:4096] == record.args
    assert len(whole) == record.args_size
    assert flags == record.flags


def test_an_image_without_a_file_is_told(observe: Observe) -> None:
    """An image from memfd_create, and one whose file was deleted, are flagged as such."""
    code = (
        "import os, sys\n"
        "image = open('/bin/true', 'rb').read()\n"
        "fd = os.memfd_create('payload') if sys.argv[1] == 'memfd' else os.open('gone', os.O_RDWR | os.O_CREAT)\n"
        "os.write(fd, image)\n"
        "if sys.argv[1] != 'memfd':\n"
        "    os.fchmod(fd, 0o755); os.close(fd); fd = os.open('gone', os.O_RDONLY); os.unlink('gone')\n"
        "os.execv(f'/proc/self/fd/{fd}', ['from-' + sys.argv[1]])\n"
    )

    def action() -> None:
        for kind in ("memfd", "deleted"):
            run([sys.executable, "-c", code, kind], cwd="/var")

    seen = observe(action)

    assert the_exec(seen, "from-memfd").flags == ExecFlag.MEMFD
    assert the_exec(seen, "from-memfd").exe == b"memfd:payload"
    assert the_exec(seen, "from-deleted").flags == ExecFlag.DELETED


def test_a_place_where_everyone_may_write_is_told(observe: Observe, programs: Path, tmp_path: Path) -> None:
    """An image in a directory that everyone may write to is flagged; the same image elsewhere is not."""
    tmp_path.chmod(0o1777)
    copy = shutil.copy(programs / "nothing", tmp_path / "copy")

    seen = observe(lambda: (run([copy]), run([programs / "nothing"])))

    assert the_exec(seen, copy).flags == ExecFlag.WORLD_WRITABLE
    assert ExecFlag(0) == the_exec(seen, programs / "nothing").flags


def test_a_script_names_both_script_and_interpreter(
    observe: Observe, rung: Monitor, programs: Path, tmp_path: Path
) -> None:
    """For a script, `filename` is the script and `exe` the interpreter; the best rung flags it."""
    script = tmp_path / "script"
    script.write_text(f"#!{programs / 'nothing'}\n")
    script.chmod(0o755)

    record = the_exec(observe(lambda: run([script])), programs / "nothing", script)

    assert os.fsencode(script) == record.filename
    assert os.fsencode(programs / "nothing") == record.exe
    best = rung.hooks[0].rungs[0].name.startswith("tp_btf/")
    assert (ExecFlag.SCRIPT if best else ExecFlag(0)) == record.flags


def test_standard_streams_are_told_by_kind(observe: Observe, programs: Path) -> None:
    """Each standard stream is told as closed, character device, file, pipe, or socket with its family."""
    nothing = str(programs / "nothing")

    def action() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as inet:
            run([nothing, "inet"], stdin=inet, stdout=inet)
        local, other = socket.socketpair()
        with local, other:
            run([nothing, "unix"], stdin=local, stdout=local)
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW) as netlink:
            run([nothing, "netlink"], stdin=netlink)
        with Path("/etc/passwd").open("rb") as file:
            run([nothing, "file"], stdin=file)
        run(["sh", "-c", f"exec {nothing} closed <&-"])
        run(["sh", "-c", f"{nothing} writer | {nothing} reader"])

    seen = observe(action)

    inet = the_exec(seen, nothing, "inet")
    assert (inet.stdin, inet.stdout, inet.stderr) == (Stdio.INET_SOCKET, Stdio.INET_SOCKET, Stdio.CHARACTER)
    assert inet.stdin_inode == inet.stdout_inode != 0
    assert the_exec(seen, nothing, "unix").stdin == Stdio.UNIX_SOCKET
    assert the_exec(seen, nothing, "netlink").stdin == Stdio.OTHER_SOCKET
    assert the_exec(seen, nothing, "file").stdin == Stdio.FILE
    assert the_exec(seen, nothing, "closed").stdin == Stdio.CLOSED
    writer, reader = the_exec(seen, nothing, "writer"), the_exec(seen, nothing, "reader")
    assert (writer.stdout, reader.stdin) == (Stdio.PIPE, Stdio.PIPE)
    assert writer.stdout_inode == reader.stdin_inode != 0


@pytest.mark.parametrize(
    ("bit", "flag"), [(stat.S_ISUID, ExecFlag.SETUID), (stat.S_ISGID, ExecFlag.SETGID)], ids=["setuid", "setgid"]
)
def test_a_set_id_image_is_told_when_it_took_effect(
    observe: Observe, programs: Path, public_folder: Path, bit: int, flag: ExecFlag
) -> None:
    """A set-uid or set-gid image is flagged and explains the change of ids; without effect it is not flagged."""
    image = Path(shutil.copy(programs / "nothing", public_folder / "image"))
    image.chmod(image.stat().st_mode | bit)

    seen = observe(lambda: (run([image, "nobody"], user=NOBODY, group=NOBODY, extra_groups=[]), run([image, "root"])))

    record = the_exec(seen, image, "nobody")
    assert flag == record.flags
    changes = [one for one in of_type(CredentialChange, seen) if one.pid == record.pid]
    assert changes[-1].explanation == Explanation.EXEC
    assert ExecFlag(0) == the_exec(seen, image, "root").flags


def test_capabilities_of_a_file_are_told(observe: Observe, programs: Path, public_folder: Path) -> None:
    """An image with file capabilities is flagged, and the new capabilities are in the record."""
    image = shutil.copy(programs / "nothing", public_folder / "image")
    subprocess.run(["setcap", "cap_net_raw+ep", image], check=True)

    record = the_exec(observe(lambda: run([image], user=NOBODY, group=NOBODY, extra_groups=[])), image)

    assert record.flags == ExecFlag.FILE_CAPABILITIES
    assert record.capabilities == 1 << 13


def test_threads_are_not_processes(observe: Observe, programs: Path) -> None:
    """A process with eight threads is one fork, one exec, and one exit with the process' status."""
    seen = observe(lambda: run([programs / "threads"]))

    pid = the_exec(seen, programs / "threads").pid
    (fork,) = [one for one in of_type(ProcessFork, seen) if one.pid == pid]
    (ended,) = [one for one in of_type(ProcessExit, seen) if one.pid == pid]
    assert fork.start == ended.start
    assert ended.code == 7
    assert pid not in [one.ppid for one in of_type(ProcessFork, seen)]


def test_an_exec_by_a_thread_is_one_of_its_process(observe: Observe, programs: Path) -> None:
    """When a thread other than the first executes, the record has the pid and start of the process."""
    seen = observe(lambda: run([programs / "thread_exec", "/bin/true", "threaded"]))

    first = the_exec(seen, programs / "thread_exec", "/bin/true", "threaded")
    second = the_exec(seen, "/bin/true", "threaded")
    assert (first.pid, first.start) == (second.pid, second.start)


def test_the_end_tells_status_signal_and_lifetime(observe: Observe) -> None:
    """An exit record holds the exit status or the signal, and how long the process lived."""
    pids: dict[str, int] = {}

    def action() -> None:
        for name, script in (("status", "sleep 0.1; exit 42"), ("signal", "kill -TERM $$")):
            with subprocess.Popen(["sh", "-c", script]) as child:
                pids[name] = child.pid

    before = time.monotonic_ns()
    ends = {one.pid: one for one in of_type(ProcessExit, observe(action))}
    elapsed = time.monotonic_ns() - before

    status, killed = ends[pids["status"]], ends[pids["signal"]]
    assert (status.code, status.signal) == (42, 0)
    assert (killed.code, killed.signal) == (0, signal.SIGTERM)
    assert 100_000_000 <= status.lifetime < elapsed


def test_other_namespaces_are_told(observe: Observe, programs: Path) -> None:
    """A process in its own pid and mount namespace shows other numbers, and its pid as the host counts it."""
    record = the_exec(
        observe(lambda: run(["unshare", "--pid", "--mount", "--fork", programs / "nothing", "inside"])),
        programs / "nothing",
        "inside",
    )

    assert Path("/proc/self/ns/pid").stat().st_ino != record.pid_namespace
    assert Path("/proc/self/ns/mnt").stat().st_ino != record.mount_namespace
    assert record.pid > 1


def test_a_change_of_ids_by_system_call_is_explained(observe: Observe, programs: Path) -> None:
    """Setuid and setgid of a process that may do so are told with old and new ids, explained by the call."""
    pids: list[int] = []

    def action() -> None:
        with subprocess.Popen([programs / "set_ids", str(NOBODY), "1234"]) as child:
            pids.append(child.pid)

    changes = [one for one in of_type(CredentialChange, observe(action)) if one.pid in pids]

    assert {Explanation.SET_ID} == {one.explanation for one in changes}
    first, last = changes[0], changes[-1]
    assert (first.old_uid, first.old_euid, first.old_gid) == (0, 0, 0)
    assert (last.uid, last.euid, last.gid, last.capabilities) == (NOBODY, NOBODY, 1234, 0)


def test_a_new_user_namespace_explains_capabilities(observe: Observe, programs: Path) -> None:
    """An unprivileged process that gains all capabilities in a user namespace of its own is explained by that."""
    command = ["unshare", "--user", "--map-root-user", str(programs / "nothing"), "mapped"]
    seen = observe(lambda: run(command, user=NOBODY, group=NOBODY, extra_groups=[]))

    pid = the_exec(seen, programs / "nothing", "mapped").pid
    explanations = [one.explanation for one in of_type(CredentialChange, seen) if one.pid == pid]
    assert Explanation.USER_NAMESPACE in explanations
    assert Explanation.NONE not in explanations
