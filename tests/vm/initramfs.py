"""The file system of a guest: Debian's CPython and busybox, the wheel, and what runs inside.

An initramfs is a cpio archive in the "newc" format (Documentation/driver-api/early-userspace/buffer-format.rst of the
kernel); several archives behind each other are one file system. So the userland is packed once, and the wheel anew.
"""

import importlib.util
import marshal
import stat
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from tests.vm.archive import contents

PYTHON = "python3.11"
PACKAGES = (
    "busybox-static",
    "libc6",
    "libexpat1",
    "libffi8",
    f"lib{PYTHON}-minimal",
    f"lib{PYTHON}-stdlib",
    # pyroute2 imports the modules that need these two.
    "libsqlite3-0",
    "libssl3",
    f"{PYTHON}-minimal",
    "zlib1g",
)

SITE = "opt/site"
PROGRAMS = "opt/programs"

INIT = f"""#!/usr/bin/busybox sh
export PATH=/usr/bin PYTHONPATH=/{SITE} PYTHONDONTWRITEBYTECODE=1 LANG=C.UTF-8
busybox mount -t devtmpfs dev /dev
busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t tracefs tracefs /sys/kernel/tracing
busybox mount -t bpf bpf /sys/fs/bpf
busybox mount -t cgroup2 cgroup2 /sys/fs/cgroup
busybox chmod 755 /
busybox ifconfig lo up
{PYTHON} -m tests.vm.guest
busybox poweroff -f
"""

_LEFT_OUT = ("usr/share/", f"usr/lib/{PYTHON}/test/", f"usr/lib/{PYTHON}/idlelib/", f"usr/lib/{PYTHON}/lib2to3/")
_MERGED = ("bin", "lib", "lib64", "sbin")
"""Directories of the root that lie in /usr, whether the packages know it or not."""


_PYC_HEADER = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)
"""Marks a compiled module that is not compared with its source (PEP 552)."""


class Cpio:
    """A growing cpio archive; directories come by themselves."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._seen = {"."}

    def file(self, name: str, data: bytes, mode: int = 0o644) -> None:
        """Add a regular file."""
        self._entry(name, stat.S_IFREG | mode, data)

    def module(self, name: str, source: bytes) -> None:
        """Add a Python module, compiled if this interpreter can do so for the guest's: emulated, that takes long."""
        self.file(name, source)
        if f"python{sys.version_info.major}.{sys.version_info.minor}" == PYTHON:
            path = PurePosixPath(name)
            compiled = f"{path.parent}/__pycache__/{path.stem}.{sys.implementation.cache_tag}.pyc"
            self.file(compiled, _PYC_HEADER + marshal.dumps(compile(source, f"/{name}", "exec", dont_inherit=True)))

    def link(self, name: str, target: str) -> None:
        """Add a symbolic link."""
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def directory(self, name: str) -> None:
        """Add a directory and those above it, once."""
        if name not in self._seen:
            self._seen.add(name)
            self._entry(name, stat.S_IFDIR | 0o755)

    def character_device(self, name: str, major: int, minor: int) -> None:
        """Add a device node."""
        self._entry(name, stat.S_IFCHR | 0o600, device=(major, minor))

    def finish(self) -> bytes:
        """Return the archive."""
        self._entry("TRAILER!!!", 0)
        return b"".join(self._parts)

    def _entry(self, name: str, mode: int, data: bytes = b"", device: tuple[int, int] = (0, 0)) -> None:
        self.directory(str(PurePosixPath(name).parent))
        path = name.encode() + b"\0"
        links = 2 if stat.S_ISDIR(mode) else 1
        # Inode, mode, owner, group, links, time, size, device of the archive (2), of the node (2), name size, sum.
        numbers = (len(self._parts), mode, 0, 0, links, 0, len(data), 0, 0, *device, len(path), 0)
        head = b"070701" + b"".join(b"%08x" % number for number in numbers) + path
        self._parts.append(_padded(head) + _padded(data))


def userland(packages: Iterable[Path]) -> bytes:
    """Return an archive with everything in some Debian packages that a guest needs."""
    cpio = Cpio()
    for name in ("dev", "proc", "sys", "tmp", "usr/lib", "usr/bin", "usr/sbin", "usr/lib64"):
        cpio.directory(name)
    for name in _MERGED:
        cpio.link(name, f"usr/{name}")
    cpio.character_device("dev/console", 5, 1)
    written: dict[str, bytes] = {}
    for package in packages:
        with contents(package) as members:
            for member, data in members:
                name = _merged(member.name.removeprefix("./"))
                if name.startswith(_LEFT_OUT):
                    continue
                if member.issym():
                    cpio.link(name, member.linkname)
                elif member.isreg() or member.islnk():
                    written[name] = written[_merged(member.linkname.removeprefix("./"))] if member.islnk() else data
                    if name.endswith(".py"):
                        cpio.module(name, written[name])
                    else:
                        cpio.file(name, written[name], member.mode & 0o777)
    return cpio.finish()


def product(wheels: Iterable[Path], guest: Iterable[tuple[str, bytes]], programs: Iterable[Path]) -> bytes:
    """Return an archive with wheels, unpacked as pip does it, what is the guest's own, and the first process."""
    cpio = Cpio()
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if not name.endswith("/"):
                    add = cpio.module if name.endswith(".py") else cpio.file
                    add(f"{SITE}/{name}", archive.read(name))
    for name, data in guest:
        cpio.module(f"{SITE}/{name}", data)
    for program in programs:
        cpio.file(f"{PROGRAMS}/{program.name}", program.read_bytes(), 0o755)
    cpio.file("init", INIT.encode(), 0o755)
    return cpio.finish()


def _merged(name: str) -> str:
    return f"usr/{name}" if name.split("/", maxsplit=1)[0] in _MERGED else name


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
