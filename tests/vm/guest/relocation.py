"""Fields of the kernel that move from version to version: where they are, and what a program read from them."""

import ctypes
import os
import subprocess
from typing import NamedTuple

from pyloader.binding.library import library_path
from pyloader.kernel import BTF_PATH
from pyloader.monitors import PROCESS
from pyloader.records import ProcessExec
from tests.vm.guest.checks.process import BUSYBOX, TICK_NS, start_ticks
from tests.vm.guest.rungs import observe
from tests.vm.report import Relocation

_KIND_STRUCT = 4


class _Member(NamedTuple):
    """`struct btf_member` (include/uapi/linux/btf.h)."""

    name: int
    type: int
    offset: int


def examine() -> list[Relocation]:
    """Observe the execution of one process, and compare three fields with what /proc says."""
    child: list[tuple[int, int]] = []

    def action() -> None:
        with subprocess.Popen([BUSYBOX, "sleep", "0.2"]) as process:
            child.append((process.pid, start_ticks(process.pid)))

    records = observe(PROCESS, action)
    ((pid, ticks),) = child
    (record,) = [one for one in records if isinstance(one, ProcessExec) and one.pid == pid]
    return [
        Relocation("task_struct.tgid", offset("task_struct", "tgid"), record.pid, pid),
        Relocation("task_struct.real_parent", offset("task_struct", "real_parent"), record.ppid, os.getpid()),
        Relocation(
            "task_struct.start_boottime", offset("task_struct", "start_boottime"), record.start // TICK_NS, ticks
        ),
    ]


def offset(struct: str, field: str) -> int:
    """Return where a field lies in a struct of the running kernel, in bytes, as its BTF says."""
    btf = ctypes.CDLL(str(library_path()))
    btf.btf__parse.restype = btf.btf__type_by_id.restype = ctypes.c_void_p
    btf.btf__name_by_offset.restype = ctypes.c_char_p
    types = ctypes.c_void_p(btf.btf__parse(str(BTF_PATH).encode(), None))
    try:
        number = btf.btf__find_by_name_kind(types, struct.encode(), _KIND_STRUCT)
        address = btf.btf__type_by_id(types, number)
        head = (ctypes.c_uint32 * 3).from_address(address)
        count, has_bit_fields = head[1] & 0xFFFF, head[1] >> 31
        members = (ctypes.c_uint32 * 3 * count).from_address(address + ctypes.sizeof(head))
        for member in (_Member(*one) for one in members):
            if btf.btf__name_by_offset(types, member.name) == field.encode():
                return (member.offset & 0xFFFFFF if has_bit_fields else member.offset) // 8
    finally:
        btf.btf__free(types)
    message = f"this kernel's struct {struct} has no field {field}"
    raise LookupError(message)
