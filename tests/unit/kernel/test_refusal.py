"""What a refusal of the kernel really means."""

from errno import EACCES, EINVAL, ENOENT, ENOSYS, EPERM
from pathlib import Path

import pytest

from pyloader.errors import (
    AttachError,
    KernelTypesError,
    LoadError,
    LockdownError,
    MissingCapabilityError,
    NotPermittedError,
    OldKernelError,
    PyloaderError,
    UnsupportedError,
    VerifierError,
)
from pyloader.kernel import Host, explained
from tests.unit.kernel.conftest import ALL, Kernel, MakeHost

BOTH = "CapEff:\t000000c000000000\nSeccomp:\t0\n"
"""A process with CAP_BPF and CAP_PERFMON alone, behind no filter."""

STATUS = "/proc/self/status"
PARANOID = "/proc/sys/kernel/perf_event_paranoid"


def load_refused(number: int = EPERM, log: str = "libbpf: no\n") -> LoadError:
    """Return the error of a load."""
    return LoadError("the kernel refused exec_tp of sample: why", log=log, program="exec_tp", errno=number)


def maps_refused() -> LoadError:
    """Return the error of a load that came no further than the maps."""
    return LoadError("the kernel refused the maps of sample: why", errno=EPERM)


def attach_refused(number: int = EACCES) -> AttachError:
    """Return the error of an attachment."""
    return AttachError("cannot attach exec_tp of sample: why", program="exec_tp", errno=number)


def the_cause(error: LoadError, host: Host, btf: Path | None = None) -> PyloaderError:
    """Return what stood in the way, which has the log of the refusal."""
    cause = explained(error, btf=btf, host=host)

    assert cause is not error
    assert cause.log == error.log
    return cause


@pytest.mark.parametrize("error", [load_refused(), load_refused(EACCES), maps_refused(), attach_refused()])
def test_missing_capability(make_host: MakeHost, error: LoadError) -> None:
    """A refusal for want of a capability names the capability."""
    cause = the_cause(error, make_host({STATUS: "CapEff:\t0\n"}))

    assert isinstance(cause, MissingCapabilityError)
    assert "CAP_BPF and CAP_PERFMON" in str(cause)


def test_lockdown(make_host: MakeHost) -> None:
    """A refusal in lockdown names the lockdown."""
    host = make_host({"/sys/kernel/security/lockdown": "none integrity [confidentiality]"})

    assert isinstance(the_cause(load_refused(), host), LockdownError)


@pytest.mark.parametrize(
    "reason", ["unknown func bpf_probe_read_kernel#113", "program of this type cannot use helper bpf_probe_read_kernel"]
)
def test_lockdown_that_only_the_verifier_tells(make_host: MakeHost, reason: str) -> None:
    """A verifier that knows no way to read the kernel's memory means lockdown, even where that cannot be read."""
    host = make_host({"/sys/kernel/security/lockdown": None})
    error = VerifierError(f"refused: {reason}", log=f"12: (85) call\n{reason}\n", program="exec_tp", errno=EINVAL)

    assert isinstance(the_cause(error, host), LockdownError)


def test_seccomp(make_host: MakeHost) -> None:
    """Behind a filter of system calls the filter is named, when nothing surer is found."""
    cause = the_cause(load_refused(), make_host({STATUS: f"CapEff:\t{ALL}\nSeccomp:\t2\n"}))

    assert str(cause).startswith("a seccomp filter, as containers have, forbids bpf(2)")


def test_locked_memory(make_host: MakeHost, able: Kernel) -> None:
    """Maps that exceed the locked memory of an old kernel are told with the limit and how to raise it."""
    able.helpers = False
    cause = the_cause(maps_refused(), make_host())

    assert isinstance(cause, NotPermittedError)
    assert "limited to 65536 bytes: grant CAP_SYS_RESOURCE, or ulimit -l unlimited" in str(cause)


def test_paranoid_perf_events(make_host: MakeHost) -> None:
    """An attachment that a distribution's stricter setting forbids names the setting."""
    cause = the_cause(attach_refused(), make_host({PARANOID: "4", STATUS: BOTH}))

    assert str(cause).startswith("cannot attach exec_tp of sample: why: ")
    assert "sysctl -w kernel.perf_event_paranoid=2" in str(cause)


@pytest.mark.parametrize(("number", "kind"), [(ENOENT, UnsupportedError), (EACCES, NotPermittedError)])
def test_tracefs(make_host: MakeHost, number: int, kind: type[PyloaderError]) -> None:
    """An attachment that fails where there is no tracefs tells how to mount it."""
    cause = the_cause(attach_refused(number), make_host({"/sys/kernel/tracing/events/header": None}))

    assert isinstance(cause, kind)
    assert "/sys/kernel/tracing" in str(cause)


def test_nothing_known_is_the_reason(make_host: MakeHost) -> None:
    """When all that is known is ruled out, that is said, with the security modules and where they log."""
    cause = the_cause(load_refused(), make_host())

    assert isinstance(cause, NotPermittedError)
    assert str(cause) == (
        "the kernel refused exec_tp of sample: why, and neither capabilities nor lockdown nor a seccomp filter is the"
        " reason: ask the kernel's and the audit log (dmesg, ausearch) whether a security module forbids it (active:"
        " lockdown,capability,selinux)"
    )


def test_kernel_without_bpf(make_host: MakeHost) -> None:
    """A kernel without the system call is told by its option."""
    cause = the_cause(load_refused(ENOSYS), make_host())

    assert isinstance(cause, OldKernelError)
    assert "CONFIG_BPF_SYSCALL=y" in str(cause)


def test_kernel_without_tracepoint_programs(make_host: MakeHost, able: Kernel) -> None:
    """A kernel that has not even tracepoint programs is too old."""
    able.programs = False

    assert isinstance(the_cause(load_refused(EINVAL), make_host()), OldKernelError)


@pytest.mark.parametrize(
    "log",
    [
        "libbpf: failed to parse target BTF: -22\n",
        "<invalid CO-RE relocation>\nfailed to resolve CO-RE relocation <byte_off> [6] struct task_struct.pid\n",
    ],
)
def test_types_of_another_kernel(make_host: MakeHost, log: str) -> None:
    """A refusal that comes from the file of --btf names the file."""
    cause = the_cause(load_refused(EINVAL, log), make_host(), Path("/srv/other.btf"))

    assert isinstance(cause, KernelTypesError)
    assert str(cause).startswith("/srv/other.btf does not describe this kernel: give --btf a BTF file")


def test_field_that_a_kernel_lacks(make_host: MakeHost) -> None:
    """Without such a file it is this kernel that lacks what is read: that should be reported."""
    cause = the_cause(load_refused(EINVAL, "failed to resolve CO-RE relocation <byte_off> [6]\n"), make_host())

    assert isinstance(cause, KernelTypesError)
    assert "please report it" in str(cause)


def test_functions_of_a_kernel_without_types(make_host: MakeHost) -> None:
    """An object that needs the kernel's own BTF says so, whatever file is given."""
    log = "libbpf: failed to find valid kernel BTF\n"
    cause = the_cause(load_refused(ENOENT, log), make_host(), Path("/srv/kernel.btf"))

    assert isinstance(cause, KernelTypesError)
    assert "CONFIG_DEBUG_INFO_BTF=y" in str(cause)


@pytest.mark.parametrize(
    "error",
    [
        VerifierError("the kernel's verifier refused exec_tp: R1 unbounded", log="R1 unbounded\n", errno=EACCES),
        load_refused(EINVAL),
        attach_refused(ENOENT),
    ],
)
def test_refusal_that_says_it_all(make_host: MakeHost, error: LoadError) -> None:
    """The verifier's own reason, and what has nothing to do with rights, is told as it came."""
    assert error is explained(error, host=make_host())


def test_refusal_of_the_verifier_should_be_reported(make_host: MakeHost) -> None:
    """What the verifier refuses is our fault, so the user is asked for a report."""
    error = VerifierError("the kernel's verifier refused exec_tp: R1 unbounded", errno=EACCES)
    explained(error, host=make_host())

    assert error.__notes__ == ["This should not happen: please report it with the output of --verbose."]
