"""Fields of the kernel that move from version to version: where they are, and what a program read from them."""

import ctypes
import os
import subprocess
from typing import NamedTuple

from pyloader.binding.library import library_path
from pyloader.kernel import BTF_PATH
from pyloader.monitors import PROCESS, Transport
from pyloader.records import ProcessExec
from tests.vm.guest.checks.process import BUSYBOX
from tests.vm.guest.comparing import TICK_NS, start_ticks
from tests.vm.guest.ways import Loaded
from tests.vm.report import Relocation, Way

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

    records = Loaded(Way.RING, Transport.RING).observe(PROCESS, action)
    ((pid, ticks),) = child
    (record,) = [one for one in records if isinstance(one, ProcessExec) and one.pid == pid]
    values = {
        "tgid": (record.pid, pid),
        "real_parent": (record.ppid, os.getpid()),
        "start_boottime": (record.start // TICK_NS, ticks),
    }
    places = offsets("task_struct")
    return [
        Relocation(f"task_struct.{field}", places[field], read, expected) for field, (read, expected) in values.items()
    ]


def offsets(struct: str) -> dict[str, int]:
    """Return where the fields of a struct of the running kernel lie, in bytes, as its BTF says."""
    btf = ctypes.CDLL(str(library_path()))
    btf.btf__parse.restype = btf.btf__type_by_id.restype = ctypes.c_void_p
    btf.btf__name_by_offset.restype = ctypes.c_char_p
    types = ctypes.c_void_p(btf.btf__parse(str(BTF_PATH).encode(), None))
    try:
        number = btf.btf__find_by_name_kind(types, struct.encode(), _KIND_STRUCT)
        address = btf.btf__type_by_id(types, number)
        head = (ctypes.c_uint32 * 3).from_address(address)
        count, has_bit_fields = head[1] & 0xFFFF, head[1] >> 31
        members = [_Member(*one) for one in (ctypes.c_uint32 * 3 * count).from_address(address + ctypes.sizeof(head))]
        return {
            btf.btf__name_by_offset(types, member.name).decode(): (
                member.offset & 0xFFFFFF if has_bit_fields else member.offset
            )
            // 8
            for member in members
        }
    finally:
        btf.btf__free(types)
