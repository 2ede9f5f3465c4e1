"""What a refusal of the kernel really means.

bpf(2) and perf_event_open(2) say EPERM for a missing capability, for a lockdown, for a filter of system calls, for
a limit, and for a security module's reasons. One after the other is looked for, the surest first.
"""

import re
from errno import EACCES, ENOENT, ENOSYS, EPERM
from pathlib import Path

from pyloader.errors import (
    AttachError,
    KernelTypesError,
    LoadError,
    LockdownError,
    NotPermittedError,
    OldKernelError,
    PyloaderError,
    UnsupportedError,
    VerifierError,
)
from pyloader.kernel.features import counted_limit, too_old
from pyloader.kernel.host import Host
from pyloader.kernel.mounts import tracefs
from pyloader.kernel.policy import filter_refusal, forbids_perf_events, lockdown, paranoid
from pyloader.kernel.rights import Capability, rights
from pyloader.kernel.types import BTF_PATH, unfit

_READ_REFUSED = re.compile(r"(?:unknown func|cannot use helper) bpf_probe_read_kernel")
_NO_BTF = "failed to find valid kernel BTF"
_BAD_BTF = re.compile(r"failed to parse target BTF|CO-RE relocation>|failed to resolve CO-RE relocation")


def explained(error: LoadError, *, btf: Path | None = None, host: Host | None = None) -> PyloaderError:
    """Return the error that says what was in the way and what to do, with the log of `error`; or `error` itself."""
    here = host or Host.this()
    cause = _in_kernel_types(error, btf, here) or _in_program(error, here)
    if cause is None and not isinstance(error, VerifierError):
        cause = _in_policy(error, here) if error.errno in (EPERM, EACCES) else _in_kernel(error, here)
    if cause is None and isinstance(error, VerifierError):
        error.add_note("This should not happen: please report it with the output of --verbose.")
    if cause is None:
        return error
    cause.log = cause.log or error.log
    return cause


def _in_kernel_types(error: LoadError, btf: Path | None, host: Host) -> PyloaderError | None:
    if _NO_BTF in error.log:
        return KernelTypesError(
            f"{error}: a program calls functions that only a kernel with its own BTF has, and {BTF_PATH} is missing:"
            " use a kernel built with CONFIG_DEBUG_INFO_BTF=y"
        )
    if _BAD_BTF.search(error.log) is None:
        return None
    if btf is not None:
        return unfit(btf, "does not describe this kernel", host)
    return KernelTypesError(
        f"{error}: this kernel ({host.release}) lacks a type or a field that the program reads; please report it with"
        " the output of --verbose"
    )


def _in_program(error: LoadError, host: Host) -> PyloaderError | None:
    """Return what stands in the way of a program that the verifier would pass elsewhere."""
    if _READ_REFUSED.search(error.log) is None:
        return None
    return lockdown(host).problem or LockdownError(
        "this kernel lets no program read its memory, as in lockdown 'confidentiality': start it with"
        " lockdown=integrity, or with Secure Boot off"
    )


def _in_policy(error: LoadError, host: Host) -> PyloaderError:
    if problem := rights(host).problem or lockdown(host).problem:
        return problem
    if isinstance(error, AttachError) and (advice := tracefs(host).advice):
        return NotPermittedError(f"{error}: {advice}")
    if isinstance(error, AttachError) and forbids_perf_events(host):
        return NotPermittedError(f"{error}: {paranoid(host).advice}")
    if not isinstance(error, AttachError) and (limit := counted_limit()) is not None:
        return NotPermittedError(
            f"{error}: this kernel counts maps as locked memory, which is limited to {limit} bytes: grant"
            f" {Capability.SYS_RESOURCE}, or ulimit -l unlimited"
        )
    if host.status.get("Seccomp", "0") != "0":
        return filter_refusal()
    modules = host.text("/sys/kernel/security/lsm") or "unknown, securityfs is not mounted"
    return NotPermittedError(
        f"{error}, and neither capabilities nor lockdown nor a seccomp filter is the reason: ask the kernel's and the"
        f" audit log (dmesg, ausearch) whether a security module forbids it (active: {modules})"
    )


def _in_kernel(error: LoadError, host: Host) -> PyloaderError | None:
    if error.errno == ENOSYS:
        return OldKernelError(f"this kernel ({host.release}) has no bpf(2): use one with CONFIG_BPF_SYSCALL=y")
    if isinstance(error, AttachError) and error.errno == ENOENT and (advice := tracefs(host).advice):
        return UnsupportedError(f"{error}: {advice}")
    return too_old(host)
