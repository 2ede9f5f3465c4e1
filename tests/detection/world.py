"""The inside of a throw-away container, made by system calls of a forked process: nothing is executed on the way in.

What a sensor sees of it is a fork, and the first program that is run inside. The root is that of this machine under an
overlay whose changes live in memory. Neither the clock nor modules, devices, mounts or BPF programs can be changed from
within.
"""

# ruff: noqa: S108 - the place for temporary files is made, not used

import ctypes
import fcntl
import os
import shutil
import socket
import stat
import struct
from pathlib import Path
from typing import Final

NETWORK: Final = "203.0.113.9"
"""An address that is not one of the loopback; with all others of its /24 it belongs to each container itself."""

_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWIPC, _CLONE_NEWPID, _CLONE_NEWNET = (
    0x20000,
    0x4000000,
    0x8000000,
    0x20000000,
    0x40000000,
)
_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
_MNT_DETACH: Final = 2
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP = 1, 24
_SYS_PIVOT_ROOT: Final = {"x86_64": 155, "aarch64": 41}
_SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK = 0x8914, 0x8916, 0x891C
_IFF_UP: Final = 1
_SIGKILL: Final = 9

_TAKEN: Final = {
    "sys_module": 16,
    "sys_rawio": 17,
    "sys_admin": 21,
    "sys_boot": 22,
    "sys_time": 25,
    "mknod": 27,
    "mac_admin": 33,
    "syslog": 34,
    "wake_alarm": 35,
    "perfmon": 38,
    "bpf": 39,
}
"""Capabilities that reach beyond namespaces (include/uapi/linux/capability.h)."""

_DEVICES: Final = {"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9}
_LINKS: Final = {
    "ptmx": "pts/ptmx",
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}

_libc = ctypes.CDLL(None, use_errno=True)


def leave() -> None:
    """Leave all namespaces that hold work apart but that of processes, which the next child is the first in."""
    _call("unshare", _CLONE_NEWNS | _CLONE_NEWUTS | _CLONE_NEWIPC | _CLONE_NEWPID | _CLONE_NEWNET)


def die_with_parent() -> None:
    """End this process as soon as its parent ends."""
    _call("prctl", _PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)


def make(prepared: Path) -> None:
    """Make the world and move into it; `prepared` is copied over its root."""
    _mount("", "/", "", _MS_REC | _MS_PRIVATE)
    box = Path("/mnt")
    _mount("box", str(box), "tmpfs", 0, "mode=755,size=512m")
    root = box / "root"
    for name in ("upper", "scratch", "root"):
        (box / name).mkdir()
    _mount("overlay", str(root), "overlay", 0, f"lowerdir=/,upperdir={box}/upper,workdir={box}/scratch")
    _mount("temporary", f"{root}/tmp", "tmpfs", 0, "mode=1777,size=256m")
    _mount("hidden", f"{root}/root", "tmpfs", 0, "mode=700")
    _copy(prepared, root)
    _mount("proc", f"{root}/proc", "proc", 0)
    for name in ("sys", "sysrq-trigger", "irq", "bus"):
        path = root / "proc" / name
        if path.exists():
            _mount(str(path), str(path), "", _MS_BIND)
            _mount("", str(path), "", _MS_REMOUNT | _MS_BIND | _MS_RDONLY)
    _devices(root / "dev")
    _network()
    socket.sethostname("throw-away")
    os.chdir(root)
    if _libc.syscall(_SYS_PIVOT_ROOT[os.uname().machine], b".", b"mnt") < 0:
        raise OSError(ctypes.get_errno(), "pivot_root")
    os.chroot(".")
    os.chdir("/")
    _call("umount2", b"/mnt", _MNT_DETACH)


def become(uid: int) -> None:
    """Give up what reaches beyond namespaces, and become this user and group."""
    for number in _TAKEN.values():
        _call("prctl", _PR_CAPBSET_DROP, number, 0, 0, 0)
    os.setgroups([uid])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def _copy(source: Path, target: Path) -> None:
    """Copy a tree over another one, with modes and owners."""
    for path in (source, *sorted(source.rglob("*"))):
        into = target / path.relative_to(source)
        if path.is_dir():
            into.mkdir(exist_ok=True)
        else:
            shutil.copyfile(path, into)
        seen = path.stat()
        if path.is_file() or not path.samefile(source):
            os.chown(into, seen.st_uid, seen.st_gid)
            into.chmod(stat.S_IMODE(seen.st_mode))


def _devices(folder: Path) -> None:
    _mount("devices", str(folder), "tmpfs", 0, "mode=755")
    for name, minor in _DEVICES.items():
        os.mknod(folder / name, stat.S_IFCHR, os.makedev(1, minor))
        (folder / name).chmod(0o666)
    os.mknod(folder / "tty", stat.S_IFCHR, os.makedev(5, 0))
    (folder / "tty").chmod(0o666)
    for name, kind, options in (
        ("pts", "devpts", "newinstance,ptmxmode=0666,mode=620"),
        ("shm", "tmpfs", "mode=1777,size=64m"),
    ):
        (folder / name).mkdir()
        _mount(name, str(folder / name), kind, 0, options)
    for name, target in _LINKS.items():
        (folder / name).symlink_to(target)


def _network() -> None:
    """Bring the loopback up and give it a network of other addresses."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", _IFF_UP))
        for request, address in ((_SIOCSIFADDR, NETWORK), (_SIOCSIFNETMASK, "255.255.255.0")):
            where = struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))
            fcntl.ioctl(any_socket, request, struct.pack("16s16s8x", b"lo:1", where))


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    _call("mount", source.encode(), target.encode(), kind.encode() or None, flags, options.encode() or None)


def _call(name: str, *arguments: object) -> None:
    values = [ctypes.c_ulong(one) if isinstance(one, int) else one for one in arguments]
    if getattr(_libc, name)(*values) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
