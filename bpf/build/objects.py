"""Compile the BPF programs: one CO-RE object per `*_monitor.bpf.c`, with a manifest of their checksums."""

import concurrent.futures
import hashlib
import os
from pathlib import Path

from bpf.build import elf, sources, toolchain
from bpf.build.headers import libbpf_headers
from bpf.build.layout import KERNEL_TYPES, PROGRAMS, ROOT, WORK
from bpf.build.stamp import Stamp
from bpf.build.target import Target

MANIFEST = "SHA256SUMS"

# v3 is the newest instruction set that every supported kernel (5.8 and later) can verify and run.
_FLAGS = (
    *("-mcpu=v3", "-g", "-O2"),
    # Unwind tables mean nothing to the kernel, and libbpf complains about their section.
    *("-fno-unwind-tables", "-fno-asynchronous-unwind-tables"),
    *("-Wall", "-Wextra", "-Werror"),
    # BPF_PROG() names every argument of a hook, and no program uses them all.
    "-Wno-unused-parameter",
    # BPF_CORE_READ() of a const member declares a const variable and fills it through a pointer.
    "-Wno-default-const-init-var-unsafe",
    # Compilers that BPF_CLANG names may not know the warning above yet.
    "-Wno-unknown-warning-option",
)


def build(target: Target, folder: Path | None = None, programs: Path = PROGRAMS) -> Path:
    """Build the object of every monitor in `programs`; return the folder with the objects and their manifest.

    The folder is `objects/` of the target's output by default.
    """
    output = folder or target.output / "objects"
    monitors = sorted(programs.glob("*_monitor.bpf.c"))
    outputs = [output / name for name in (*(f"{monitor.stem}.o" for monitor in monitors), MANIFEST)]
    compiler = toolchain.bpf_compiler()
    pin = sources.pinned()["libbpf"].sha256
    inputs = [*programs.glob("*.bpf.[ch]"), *KERNEL_TYPES.glob("*.h")]
    stamp = Stamp(f"objects-{target.value}", inputs, [compiler.identity, pin])
    if stamp.holds(outputs):
        return output
    output.mkdir(parents=True, exist_ok=True)
    for stale in set(output.glob("*.bpf.o")) - set(outputs):
        stale.unlink()

    includes = [_named(programs), _named(KERNEL_TYPES)]
    system = _named(libbpf_headers(sources.unpacked()["libbpf"]))
    flags = [*_FLAGS, f"-D{target.bpf_macro}", *(f"-I{path}" for path in includes), f"-isystem{system}"]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda monitor: _compile(monitor, output, compiler, flags, target), monitors))
    _write_manifest(output, outputs[:-1])
    stamp.set(outputs)
    return output


def built(output: Path) -> list[Path]:
    """Return the files that `build` leaves in `output`: the objects and their manifest."""
    return [*sorted(output.glob("*.bpf.o")), output / MANIFEST]


def _compile(monitor: Path, output: Path, compiler: toolchain.Compiler, flags: list[str], target: Target) -> None:
    """Compile one monitor into `output`, without DWARF, which only its BTF was made from."""
    work = WORK / "objects" / target.value
    work.mkdir(parents=True, exist_ok=True)
    raw = work / f"{monitor.stem}.o"
    # BTF records the name of every source file; the map keeps the place of the checkout out of it.
    place = f"-ffile-prefix-map={ROOT}=."
    compiler.run([*flags, place, "-c", "-o", _named(raw), _named(monitor)], f"compiling {monitor.name}")
    (output / raw.name).write_bytes(elf.without_debug_sections(raw.read_bytes()))


def _named(path: Path) -> str:
    """Return a path as the compiler shall know it: from the root of the checkout, wherever that is.

    Clang orders some types in BTF by where they lie in its memory, and that depends on the lengths of names.
    """
    return os.path.relpath(path, ROOT)


def _write_manifest(output: Path, objects: list[Path]) -> None:
    """Write the checksums of `objects` in the format of `sha256sum --check`."""
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in objects]
    (output / MANIFEST).write_text("".join(lines), encoding="utf-8")
