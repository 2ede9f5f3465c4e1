"""Where pyloader cannot run, it says why and what to do, in one line, and nothing stays behind."""

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from pyloader import kernel
from pyloader.monitors import PROCESS
from tests.kernel.privileges import NOBODY, copy_of_package, pyloader_as, without

ROOT = Path(__file__).parents[2]

TRACING = ("bpf", "perfmon", "sys_admin")


def said(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the first line of a refusal in order: code 3, nothing on standard output, no traceback."""
    assert (done.returncode, done.stdout) == (3, "")
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[0].removeprefix("pyloader: ")


def test_an_ordinary_user() -> None:
    """Nobody is told that it takes root or two capabilities, and to use sudo."""
    message = said(pyloader_as(NOBODY, "run"))

    assert message == (
        "loading programs into the kernel needs root, or CAP_BPF and CAP_PERFMON; this user (uid 65534) has neither:"
        " use sudo"
    )


@pytest.mark.parametrize(
    ("dropped", "named"),
    [
        (TRACING, "CAP_BPF and CAP_PERFMON"),
        (("bpf", "sys_admin"), "CAP_BPF"),
        (("perfmon", "sys_admin"), "CAP_PERFMON"),
    ],
    ids=["both", "bpf", "perfmon"],
)
def test_root_without_a_capability(dropped: tuple[str, ...], named: str) -> None:
    """Root that was robbed of a capability, as in a container, is told which, and how to get it back."""
    message = said(pyloader_as(without(*dropped), "run"))

    assert f"needs {named}, and this root lacks it, as in a container" in message
    assert "--cap-add" in message


def test_the_two_capabilities_are_enough() -> None:
    """Root with CAP_BPF and CAP_PERFMON and without CAP_SYS_ADMIN and CAP_NET_ADMIN runs."""
    done = pyloader_as(without("sys_admin", "net_admin"), "run")

    assert done.returncode == 0, done.stderr


def test_root_of_a_user_namespace() -> None:
    """Root of a user namespace, as of a rootless container, has every capability and is told that none counts."""
    message = said(pyloader_as(["unshare", "--user", "--map-root-user"], "run"))

    assert "only in a user namespace, as in a rootless container" in message


def test_a_system_call_filter(programs: Path) -> None:
    """Where a seccomp filter refuses bpf(2), neither capabilities nor the kernel's age are blamed."""
    message = said(pyloader_as([programs / "filtered"], "run"))

    assert message.startswith("a seccomp filter, as containers have, forbids bpf(2)")


def in_private_mounts(script: str) -> list[str]:
    """Return the command that runs another after a script has changed the mounts that they alone see."""
    return ["unshare", "--mount", "sh", "-c", f'{script} && exec "$@"', "sh"]


def test_a_kernel_without_types(tmp_path: Path) -> None:
    """Without BTF the kernel's option and --btf are named; a file for this kernel stands in for it."""
    file = shutil.copy(kernel.BTF_PATH, tmp_path / "kernel.btf")
    masked = in_private_mounts(f"mount -t tmpfs none {kernel.BTF_PATH.parent}")

    message = said(pyloader_as(masked, "run"))
    done = pyloader_as(masked, "run", "--btf", file)

    assert f"does not describe its types ({kernel.BTF_PATH} is missing)" in message
    assert "CONFIG_DEBUG_INFO_BTF=y" in message
    assert "--btf FILE" in message
    assert done.returncode == 0, done.stderr


def test_types_from_a_file(tmp_path: Path) -> None:
    """The kernel's own BTF, copied to a file, does with --btf."""
    file = shutil.copy(kernel.BTF_PATH, tmp_path / "kernel.btf")

    for command in ("run", "doctor"):
        done = pyloader_as([], command, "--btf", file)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no types at all, only words", "is no BTF file"),
        (b"", "is damaged: it is too short to be BTF"),
        (kernel.BTF_PATH.read_bytes()[:100_000], "is damaged: it was cut short"),
        (
            kernel.BTF_PATH.read_bytes()[:2_000] + bytes([255] * 8) + kernel.BTF_PATH.read_bytes()[2_008:],
            "does not describe",
        ),
    ],
    ids=["words", "empty", "cut", "damaged"],
)
def test_a_bad_file_of_types(tmp_path: Path, content: bytes, reason: str) -> None:
    """A file that holds no BTF, or a damaged one, is refused by name, with what is wanted instead."""
    file = tmp_path / "kernel.btf"
    file.write_bytes(content)

    message = said(pyloader_as([], "run", "--btf", file))

    assert message.startswith(f"{file} {reason}")
    assert f"give --btf a BTF file that was made for this kernel, {platform.release()}" in message


def test_plain_tracepoints_without_tracefs() -> None:
    """Where only plain tracepoints are wanted and tracefs is not mounted, the message is how to mount it."""
    masked = in_private_mounts("umount -l /sys/kernel/tracing; umount -lq /sys/kernel/debug; true")

    message = said(pyloader_as(masked, "run", "--hooks", "tp"))

    assert "mount -t tracefs tracefs /sys/kernel/tracing" in message


def test_a_damaged_object(tmp_path: Path) -> None:
    """An object of which one bit was changed is not handed to libbpf: reinstall."""
    package = copy_of_package(tmp_path)
    file = package / "objects" / PROCESS.object
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)

    message = said(pyloader_as([], "run", package=package))

    assert message == f"the BPF object {file} is damaged: its checksum is not the manifest's; reinstall pyloader-ebpf"


@pytest.mark.parametrize("name", [PROCESS.object, "SHA256SUMS"])
def test_a_missing_object(tmp_path: Path, name: str) -> None:
    """An object or a manifest that is not there is named: reinstall."""
    package = copy_of_package(tmp_path)
    (package / "objects" / name).unlink()

    message = said(pyloader_as([], "run", package=package))

    assert message == f"{package / 'objects' / name} is missing; reinstall pyloader-ebpf"


def damaged_library(damage: str, file: Path) -> None:
    """Write a library with which something is wrong, or none."""
    data = bytearray((Path(kernel.__file__).parents[1] / "lib" / "libbpf.so.1").read_bytes())
    if damage == "cut":
        file.write_bytes(data[: len(data) // 2])
    elif damage == "words":
        file.write_bytes(b"no library at all")
    elif damage == "foreign":
        data[18:20] = (22).to_bytes(2, "little")
        file.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("missing", "is missing"),
        ("words", "is damaged: it is no shared library"),
        ("cut", "is damaged: it was cut short"),
        ("foreign", "is for another machine (ELF number 22), and this is "),
    ],
)
@pytest.mark.parametrize("command", ["run", "doctor"])
def test_a_damaged_library(tmp_path: Path, command: str, damage: str, reason: str) -> None:
    """A library that is missing, cut, or for another machine is told by name; it never crashes the interpreter."""
    file = tmp_path / "libbpf.so.1"
    damaged_library(damage, file)

    done = pyloader_as([], command, PYLOADER_LIBBPF=file)

    assert done.returncode == 3, done.stderr
    assert f"the library {file} {reason}" in done.stdout + done.stderr
    assert "unset PYLOADER_LIBBPF" in done.stdout + done.stderr


UNBOUNDED = """\
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "deliver.bpf.h"

int table[4];

%s

char LICENSE[] SEC("license") = "Dual BSD/GPL";
"""

PROGRAM = """\
SEC("{rung.name}")
int {rung.program}(void *context)
{{
	return table[bpf_get_prandom_u32()];
}}
"""


def with_unbounded_programs(package: Path) -> None:
    """Exchange the object of the process monitor for one with an access that no check bounds, in every program."""
    # The build chain belongs to the checkout, not to the package.
    from bpf.build import elf, objects, toolchain  # noqa: PLC0415 -- see above.
    from bpf.build.headers import libbpf_headers  # noqa: PLC0415 -- likewise.
    from bpf.build.sources import unpacked  # noqa: PLC0415 -- likewise.
    from bpf.build.target import Target  # noqa: PLC0415 -- likewise.

    rungs = [rung for hook in PROCESS.hooks for rung in hook.rungs]
    source = package / "process_monitor.bpf.c"
    source.write_text(UNBOUNDED % "\n".join(PROGRAM.format(rung=rung) for rung in rungs))
    target = package / "objects" / PROCESS.object
    includes = [f"-I{ROOT / 'bpf'}", f"-I{ROOT / 'vmlinux'}", f"-isystem{libbpf_headers(unpacked()['libbpf'])}"]
    flags = ["-mcpu=v3", "-g", "-O2", f"-D{Target.native().bpf_macro}", "-fno-unwind-tables"]
    toolchain.bpf_compiler().run(
        [*flags, "-fno-asynchronous-unwind-tables", *includes, "-c", "-o", target, source], "compiling a bad program"
    )
    target.write_bytes(elf.without_debug_sections(target.read_bytes()))
    objects._write_manifest(target.parent, [target])  # noqa: SLF001 -- as the build writes it.


def test_a_program_that_the_verifier_refuses(tmp_path: Path) -> None:
    """The verifier's reason stands in the first line; its whole log is shown with --verbose, and only then."""
    package = copy_of_package(tmp_path)
    with_unbounded_programs(package)

    short = pyloader_as([], "run", package=package)
    long = pyloader_as([], "run", "--verbose", package=package)

    assert said(short) == said(long)
    assert "the kernel's verifier refused exec_tp of process_monitor: " in said(short)
    assert "unbounded" in said(short)
    assert "BEGIN PROG LOAD LOG" not in short.stderr
    assert "please report it with the output of --verbose" in short.stderr
    assert "BEGIN PROG LOAD LOG" in long.stderr
    assert "processed " in long.stderr
