"""Build the one shared library that ships: libbpf, libelf, zlib and our readers of rings in a single file.

Nothing of it depends on the build host: the compiler carries the headers and symbol lists of the oldest glibc
that is supported, and the result needs nothing but that C library.
"""

import concurrent.futures
import os
from dataclasses import dataclass
from pathlib import Path

from bpf.build import sources, toolchain
from bpf.build.headers import libbpf_headers
from bpf.build.layout import LIBRARY, ROOT, WORK
from bpf.build.sources import Source
from bpf.build.stamp import Stamp
from bpf.build.target import Target

FILE_NAME = "libbpf.so.1"

_CODE_FLAGS = ("-O2", "-fPIC", "-ffunction-sections", "-fdata-sections", "-fstack-protector-strong")
_LINK_FLAGS = (
    "-shared",
    "-s",
    f"-Wl,-soname,{FILE_NAME}",
    "-Wl,-z,defs",
    "-Wl,-z,now",
    "-Wl,-z,relro",
    "-Wl,--gc-sections",
    "-Wl,--build-id=none",
)


@dataclass(frozen=True)
class Part:
    """One third-party library: its C files and the flags they are compiled with."""

    name: str
    files: list[Path]
    flags: list[str]


def build(target: Target, folder: Path | None = None) -> Path:
    """Build the library of `target` into `folder`, `lib/` of the target's output by default; return its path."""
    output = (folder or target.output / "lib") / FILE_NAME
    compiler = toolchain.library_compiler()
    pins = [f"{source.name} {source.sha256}" for source in sources.pinned().values()]
    own = list(LIBRARY.iterdir())
    stamp = Stamp(f"library-{target.value}", own, [compiler.identity, target.library_triple, *pins])
    if stamp.holds([output]):
        return output
    _compile(sources.unpacked(), target, compiler, output)
    stamp.set([output])
    return output


def _compile(origins: dict[str, Source], target: Target, compiler: toolchain.Compiler, output: Path) -> None:
    """Compile every part to one relocatable object each, then link them with our readers into `output`."""
    work = WORK / "library" / target.value
    work.mkdir(parents=True, exist_ok=True)
    common = ["-target", target.library_triple, "-mcpu=baseline", *_CODE_FLAGS, f"-ffile-prefix-map={ROOT}=."]

    def compile_part(part: Part) -> Path:
        combined = work / f"{part.name}.o"
        # Upstream's warnings are upstream's; errors still stop the build.
        compiler.run([*common, "-w", "-r", "-o", combined, *part.flags, *part.files], f"compiling {part.name}")
        return combined

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        combined = list(pool.map(compile_part, _parts(origins)))

    exports = work / "exports.map"
    upstream = origins["libbpf"].folder / "src" / "libbpf.map"
    exports.write_text(upstream.read_text(encoding="utf-8") + (LIBRARY / "exports.map").read_text(encoding="utf-8"))
    readers: list[str | Path] = [
        "-Wall",
        "-Wextra",
        "-Werror",
        f"-I{libbpf_headers(origins['libbpf'])}",
        LIBRARY / "ring.c",
        LIBRARY / "perf.c",
    ]
    linked = work / FILE_NAME
    link = [*common, *_LINK_FLAGS, f"-Wl,--version-script,{exports}", "-o", linked, *readers, *combined]
    compiler.run(link, f"linking {FILE_NAME}")
    output.parent.mkdir(parents=True, exist_ok=True)
    # A rename, so that a process which has the old library mapped keeps it whole.
    linked.replace(output)


def _parts(origins: dict[str, Source]) -> list[Part]:
    """Return the third-party parts in link order."""
    libbpf, elfutils, zlib = (origins[name].folder for name in ("libbpf", "elfutils", "zlib"))
    libelf_include, zlib_include = f"-I{elfutils / 'libelf'}", f"-I{zlib}"
    return [
        Part(
            "libbpf",
            sorted((libbpf / "src").glob("*.c")),
            [
                *("-D_LARGEFILE64_SOURCE", "-D_FILE_OFFSET_BITS=64"),
                *(f"-I{libbpf / folder}" for folder in ("src", "include", "include/uapi")),
                *(libelf_include, zlib_include),
            ],
        ),
        Part(
            "libelf",
            [*sorted((elfutils / "libelf").glob("*.c")), elfutils / "lib/eu-search.c"],
            [
                *("-std=gnu99", "-D_GNU_SOURCE", "-DHAVE_CONFIG_H"),
                *(f"-I{LIBRARY}", f"-I{elfutils / 'lib'}", libelf_include, zlib_include),
            ],
        ),
        Part(
            "zlib",
            sorted(zlib.glob("*.c")),
            ["-D_LARGEFILE64_SOURCE=1", "-DHAVE_UNISTD_H", zlib_include],
        ),
    ]
