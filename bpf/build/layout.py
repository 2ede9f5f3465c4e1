"""Where the build chain reads and writes, relative to the root of the checkout or of the unpacked sdist."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""Compilers run here and see relative paths only, so no output depends on where the checkout stands."""

PROGRAMS = ROOT / "bpf"
"""BPF programs (`*_monitor.bpf.c`) and the headers they share (`*.bpf.h`)."""

KERNEL_TYPES = ROOT / "vmlinux"
"""The hand-kept `vmlinux.h`."""

LIBRARY = ROOT / "bpf" / "library"
"""Our own part of the bundled library."""

PACKAGE = ROOT / "pyloader"
"""The Python package; what is built for this machine's architecture lands inside it."""

WORK = ROOT / ".build"
"""Everything else that is built, downloaded or remembered; ignored by git, removed by `make clean`."""
