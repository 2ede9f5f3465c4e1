"""Whether the kernel's types are described: its own BTF, or a file that the user gives."""

import struct
from pathlib import Path

from pyloader.errors import KernelTypesError
from pyloader.kernel.finding import Finding
from pyloader.kernel.host import Host

BTF_PATH = Path("/sys/kernel/btf/vmlinux")

_HEADER = struct.Struct("=HBBIIIII")
"""`struct btf_header` in include/uapi/linux/btf.h, in this machine's byte order."""

_MAGIC = 0xEB9F

_ELF = struct.Struct("<4s14xH")
"""The magic and the machine of an ELF file; here the order is that of all supported machines."""

_ELF_MACHINES = {"x86_64": 62, "aarch64": 183}


def kernel_types(host: Host, file: Path | None = None) -> Finding:
    """Return whether there is a description of the kernel's types: `file` if it is given, else the kernel's own."""
    subject = "kernel types"
    if file is not None:
        reason = _defect(file, host)
        return Finding(subject, str(file), None if not reason else unfit(file, reason, host))
    if host.path(BTF_PATH).is_file():
        return Finding(subject, str(BTF_PATH))
    return Finding(
        subject,
        f"{BTF_PATH} is missing",
        KernelTypesError(
            f"this kernel ({host.release}) does not describe its types ({BTF_PATH} is missing): use a kernel built with"
            " CONFIG_DEBUG_INFO_BTF=y, or give a BTF file made for this very kernel with --btf FILE"
        ),
    )


def unfit(file: Path, reason: str, host: Host) -> KernelTypesError:
    """Return what to say of a BTF file that does not do."""
    return KernelTypesError(f"{file} {reason}: give --btf a BTF file that was made for this kernel, {host.release}")


def _defect(file: Path, host: Host) -> str:
    """Return why a file holds no BTF; libbpf takes it bare or in the `.BTF` section of a kernel's ELF file."""
    try:
        with file.open("rb") as opened:
            head = opened.read(_HEADER.size)
        size = file.stat().st_size
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if len(head) < _HEADER.size:
        return "is damaged: it is too short to be BTF"
    if head.startswith(b"\x7fELF"):
        _, machine = _ELF.unpack_from(head)
        return "" if machine == _ELF_MACHINES.get(host.machine) else f"is no kernel for {host.machine}"
    magic, _, _, header, types, types_size, strings, strings_size = _HEADER.unpack(head)
    if magic != _MAGIC:
        return "is no BTF file"
    if header + max(types + types_size, strings + strings_size) > size:
        return "is damaged: it was cut short"
    return ""
