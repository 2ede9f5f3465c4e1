"""All questions about the host, in the order in which what they find should be mended."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from pyloader.kernel.features import can_use_bpf, locked_memory, program_kinds, ring_buffer
from pyloader.kernel.finding import Finding
from pyloader.kernel.host import Host
from pyloader.kernel.mounts import bpffs, tracefs
from pyloader.kernel.parts import bundled_library, machine
from pyloader.kernel.policy import bpf_for_all, lockdown, paranoid, seccomp
from pyloader.kernel.rights import network_rights, rights
from pyloader.kernel.types import kernel_types

Question = Callable[[Host], Finding]


def findings(btf: Path | None = None, host: Host | None = None) -> tuple[Finding, ...]:
    """Return all that is to be said of this host; `btf` describes the kernel's types in place of the kernel.

    Where bpf(2) is refused, nothing is said of what only it can tell.
    """
    here = host or Host.this()
    looked = [question(here) for question in _required(btf)]
    if looked[-1].problem is None:
        looked.append(seccomp(here))
        if can_use_bpf():
            looked += [question(here) for question in (program_kinds, ring_buffer, locked_memory)]
    looked += [question(here) for question in (network_rights, bpf_for_all, paranoid, tracefs, bpffs)]
    return tuple(looked)


def require(btf: Path | None = None, host: Host | None = None) -> None:
    """Raise the first problem of this host that can be seen without trying, if there is one.

    What only a trial shows, the load will show: `explained` says then what was in the way.
    """
    here = host or Host.this()
    for question in _required(btf):
        if (problem := question(here).problem) is not None:
            raise problem


def _required(btf: Path | None) -> Iterator[Question]:
    """Yield the questions that cost next to nothing, that of the library last: all trials need it."""
    yield from (machine, rights, partial(kernel_types, file=btf), lockdown, bundled_library)
