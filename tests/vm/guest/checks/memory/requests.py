"""Facilities that exploits like, asked for."""

import os
import platform

from pyloader.monitors import Rung
from pyloader.records import Facility, MemoryRequest
from tests.kernel.acts import NOBODY
from tests.vm.guest.checks.memory.ground import LIBC, of_copy
from tests.vm.guest.comparing import child, same, the
from tests.vm.guest.rungs import Check

_USERFAULTFD = {"x86_64": 323, "aarch64": 282}[platform.machine()]


def check_userfaultfd(_rung: Rung) -> Check:
    """Ask for userfaultfd."""
    pid = child(lambda: os._exit(LIBC.syscall(_USERFAULTFD, os.O_CLOEXEC | os.O_NONBLOCK) < 0))
    _, status = os.waitpid(pid, 0)
    records = yield

    assert status == 0, f"status is {status}"
    expected = {"facility": Facility.USERFAULTFD, "flags": os.O_CLOEXEC | os.O_NONBLOCK, "name": b"", "privileged": 1}
    same(the(MemoryRequest, records, pid), of_copy() | expected)


def check_memfd(_rung: Rung) -> Check:
    """Ask for an anonymous memory file, with and without privileges."""
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING

    def as_nobody() -> None:
        os.setuid(NOBODY)
        os.memfd_create("two words", flags)

    pids = [child(lambda: os.close(os.memfd_create("a name", flags))), child(as_nobody)]
    for pid in pids:
        os.waitpid(pid, 0)
    records = yield

    common = of_copy() | {"facility": Facility.MEMFD, "flags": flags}
    same(the(MemoryRequest, records, pids[0]), common | {"name": b"a name", "privileged": 1})
    expected = {"name": b"two words", "privileged": 0, "uid": NOBODY}
    same(the(MemoryRequest, records, pids[1]), common | expected)
