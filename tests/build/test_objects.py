"""The objects: the same everywhere, listed in a manifest, rebuilt only for a reason."""

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pyloader.binding import BpfObject
from pyloader.monitors import MONITORS

Build = Callable[..., "subprocess.CompletedProcess[str]"]

OBJECT = Path("pyloader/objects/sample_monitor.bpf.o")
MANIFEST = OBJECT.with_name("SHA256SUMS")
PROGRAM = Path("bpf/sample_monitor.bpf.c")


def test_same_bytes_everywhere(sample: Path, checkout: Path, build: Build) -> None:
    """Two checkouts in different folders give byte-identical objects."""
    done = build(checkout, "objects")

    assert done.returncode == 0, done.stderr
    assert (sample / OBJECT).read_bytes() == (checkout / OBJECT).read_bytes()
    assert str(checkout).encode() not in (checkout / OBJECT).read_bytes()


def test_manifest_lists_every_object(sample: Path) -> None:
    """The manifest holds the sha256 of every object in the format of `sha256sum`."""
    digest = hashlib.sha256((sample / OBJECT).read_bytes()).hexdigest()

    assert (sample / MANIFEST).read_text() == f"{digest}  {OBJECT.name}\n"


def test_unchanged_inputs_build_nothing(sample: Path, build: Build) -> None:
    """A second build with the same inputs leaves the outputs alone."""
    before = (sample / OBJECT).stat().st_mtime_ns

    assert build(sample, "objects").returncode == 0
    assert (sample / OBJECT).stat().st_mtime_ns == before


@pytest.mark.parametrize("input_file", ["bpf/sample_monitor.bpf.c", "vmlinux/vmlinux.h", "bpf/build/objects.py"])
def test_changed_input_builds_again(checkout: Path, build: Build, input_file: str) -> None:
    """A change of a program, of a header or of the build chain builds the objects anew."""
    assert build(checkout, "objects").returncode == 0
    before = (checkout / OBJECT).stat().st_mtime_ns
    with (checkout / input_file).open("a") as file:
        file.write("\n")

    assert build(checkout, "objects").returncode == 0
    assert (checkout / OBJECT).stat().st_mtime_ns > before


def test_damaged_output_is_replaced(checkout: Path, build: Build) -> None:
    """An object that was changed after its build is built again."""
    assert build(checkout, "objects").returncode == 0
    good = (checkout / OBJECT).read_bytes()
    (checkout / OBJECT).write_bytes(b"damaged")

    assert build(checkout, "objects").returncode == 0
    assert (checkout / OBJECT).read_bytes() == good


def test_removed_program_leaves_no_object(checkout: Path, build: Build) -> None:
    """The object of a program that is gone disappears with the next build."""
    (checkout / "bpf/second_monitor.bpf.c").write_bytes((checkout / PROGRAM).read_bytes())
    assert build(checkout, "objects").returncode == 0
    (checkout / "bpf/second_monitor.bpf.c").unlink()

    assert build(checkout, "objects").returncode == 0
    assert [path.name for path in sorted((checkout / OBJECT.parent).iterdir())] == [MANIFEST.name, OBJECT.name]


def test_other_architecture_goes_elsewhere(checkout: Path, build: Build) -> None:
    """Objects for the other architecture stay out of the package, which is used on this machine."""
    done = build(checkout, "objects", "--arch", "aarch64")

    assert done.returncode == 0, done.stderr
    assert (checkout / ".build/aarch64/objects" / OBJECT.name).exists()
    assert not (checkout / OBJECT).exists()


def test_broken_program_shows_the_compiler(checkout: Path, build: Build) -> None:
    """A program that does not compile fails the build with the compiler's own message."""
    (checkout / PROGRAM).write_text("int broken( {\n")
    done = build(checkout, "objects")

    assert done.returncode == 1
    assert "compiling sample_monitor.bpf.c" in done.stderr
    assert "error: expected" in done.stderr


def test_warning_fails_the_build(checkout: Path, build: Build) -> None:
    """A program that compiles with a warning fails the build."""
    with (checkout / PROGRAM).open("a") as file:
        file.write("static int never_called(void) { return 0; }\n")
    done = build(checkout, "objects")

    assert done.returncode == 1
    assert "never_called" in done.stderr


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_another_clang_builds_what_ships(full_checkout: Path, build: Build, arch: str) -> None:
    """`BPF_CLANG` compiles every program that ships with Debian's Clang too, without a warning."""
    output = full_checkout / "output"
    done = build(full_checkout, "objects", "--arch", arch, "--output", str(output), BPF_CLANG="clang")
    programs = {path.stem for path in (full_checkout / "bpf").glob("*_monitor.bpf.c")}

    assert done.returncode == 0, done.stderr
    assert programs == {path.stem for path in output.glob("*.bpf.o")}


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_ladders_name_what_is_built(full_checkout: Path, build: Build, arch: str) -> None:
    """On every architecture the objects of a monitor have the first program of each rung, and none without a rung."""
    output = full_checkout / "output"
    done = build(full_checkout, "objects", "--arch", arch, "--output", str(output))
    assert done.returncode == 0, done.stderr

    for monitor in MONITORS.values():
        rungs = [rung for hook in monitor.hooks for rung in hook.rungs if rung.program]
        for name in filter(None, (monitor.object, monitor.untyped_object)):
            with BpfObject.open((output / name).read_bytes(), name.removesuffix(".bpf.o")) as opened:
                programs = set(opened.programs())
            assert {rung.program for rung in rungs} <= programs
            assert programs <= {program for rung in rungs for program in rung.programs}


def test_another_clang_replaces_ours(checkout: Path, build: Build) -> None:
    """A change of the compiler alone builds the objects anew."""
    assert build(checkout, "objects").returncode == 0
    ours = (checkout / OBJECT).read_bytes()

    assert build(checkout, "objects", BPF_CLANG="clang").returncode == 0
    assert (checkout / OBJECT).read_bytes() != ours


def test_missing_clang_is_named(checkout: Path, build: Build) -> None:
    """A `BPF_CLANG` that does not exist is a short error, not a traceback."""
    done = build(checkout, "objects", BPF_CLANG="no-such-clang")

    assert done.returncode == 1
    assert "BPF_CLANG=no-such-clang is not a working compiler" in done.stderr
    assert "Traceback" not in done.stderr
