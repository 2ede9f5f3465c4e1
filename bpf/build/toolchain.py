"""The compiler: Clang out of the pinned `ziglang` wheel, or for BPF another Clang named by `BPF_CLANG`."""

import importlib.metadata
import importlib.util
import os
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bpf.build.failure import BuildError
from bpf.build.layout import ROOT, WORK

BPF_OVERRIDE = "BPF_CLANG"


@dataclass(frozen=True)
class Compiler:
    """A command that behaves like Clang."""

    command: tuple[str, ...]
    identity: str
    """What the outputs depend on: the compiler's own name and version."""

    def run(self, arguments: Sequence[str | Path], purpose: str) -> None:
        """Run the compiler at the root of the checkout; raise BuildError with its messages when it fails."""
        done = subprocess.run(
            [*self.command, *map(str, arguments)],
            cwd=ROOT,
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            message = f"{purpose}: {self.identity} failed\n{done.stderr.strip()}"
            raise BuildError(message)


def library_compiler() -> Compiler:
    """Return the compiler of the bundled library, which cross-compiles to every glibc version."""
    package = importlib.util.find_spec("ziglang")
    if package is None or package.origin is None:
        message = (
            "the ziglang package is missing: build with `make`, or install build-system.requires of pyproject.toml"
        )
        raise BuildError(message)
    command = (str(Path(package.origin).with_name("zig")), "cc")
    return Compiler(command, f"ziglang {importlib.metadata.version('ziglang')}")


def bpf_compiler() -> Compiler:
    """Return the compiler of the BPF programs and with it the target: `BPF_CLANG` if set, else ziglang."""
    if override := shlex.split(os.environ.get(BPF_OVERRIDE, "")):
        return Compiler((*override, "-target", "bpfel"), _version_of(override))
    zig = library_compiler()
    return Compiler((*zig.command, "-target", "bpfel-freestanding"), zig.identity)


def _version_of(command: Sequence[str]) -> str:
    """Return the first line of `command --version`."""
    try:
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        message = f"{BPF_OVERRIDE}={shlex.join(command)} is not a working compiler: {error}"
        raise BuildError(message) from None
    return done.stdout.partition("\n")[0]


def _environment() -> dict[str, str]:
    """Return the environment of a compiler: zig's caches stay in the work folder unless placed elsewhere."""
    cache = str(WORK / "zig")
    return {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache, **os.environ}
