"""Which kernels are tried, and which Debian package holds each.

Debian drops old versions from its suites, so a kernel is named by its series and the newest of it is taken.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from tests.vm.report import Way

DEBIAN_NAMES = {"x86_64": "amd64", "aarch64": "arm64"}
"""How Debian calls an architecture."""

INSTRUCTION_BUDGET = 250_000
"""No program may need more from any verifier: a quarter of what the kernel allows, because versions differ a lot."""


class Series(NamedTuple):
    """A range of kernel versions, with `x` for any number, on one architecture."""

    version: str
    architecture: str

    def __str__(self) -> str:
        return f"{self.version}-{self.architecture}"


X86_64 = tuple(Series(version, "x86_64") for version in ("5.10", "6.1", "6.12", "6.x", "7.x"))

# On arm64, 6.1 cannot attach to functions (fentry), 6.12 can.
AARCH64 = tuple(Series(version, "aarch64") for version in ("6.1", "6.12"))

MATRIX = (*X86_64, *AARCH64)


class Refusal(NamedTuple):
    """What a kernel refuses, because it came only later."""

    series: Series
    rungs: tuple[str, ...]
    """Kinds of rungs, or names of single ones."""
    ways: tuple[Way, ...]
    reason: str


EXPECTED_REFUSALS = (
    Refusal(
        Series("5.10", "x86_64"),
        ("tp", "kprobe"),
        (Way.PINNED, Way.PINNED_BY_FILE),
        "perf events, which plain tracepoints and kprobes are attached by, have links that can be pinned from 5.15 on",
    ),
    *(
        Refusal(
            Series(version, architecture),
            (f"tp_btf/{tracepoint}",),
            (Way.RING, Way.PERF, Way.PINNED),
            f"the tracepoint came with {since}",
        )
        for tracepoint, since, versions in (
            ("sock_send_length", "6.3", ("5.10", "6.1")),
            ("sched_prepare_exec", "6.10", ("5.10", "6.1")),
            ("cap_capable", "6.14", ("5.10", "6.1", "6.12")),
        )
        for version, architecture in MATRIX
        if version in versions
    ),
    Refusal(
        Series("6.1", "aarch64"),
        ("tp/syscalls/sys_enter_mprotect",),
        tuple(Way),
        "beside it stands a program for pkey_mprotect, which arm64 has since 6.12",
    ),
    Refusal(
        Series("6.1", "aarch64"),
        ("fentry",),
        tuple(Way),
        "arm64 loads programs for functions since 6.0 and attaches them since 6.4",
    ),
)


class KernelMissingError(Exception):
    """No suite has a kernel of a series any more."""


def packages_of(series: Series, packages: Iterable[str]) -> list[str]:
    """Return the packages with kernels of a series, the newest first.

    Until 6.x the image is in `linux-image-…`; where that has become an empty package, it is in `linux-binary-…`.
    """
    version = re.escape(series.version).replace("x", r"\d+")
    architecture = DEBIAN_NAMES[series.architecture]
    pattern = re.compile(rf"linux-(image|binary)-({version}\.\d[^-]*(?:-[^-]+)?)-cloud-{architecture}")
    found = [match for match in map(pattern.fullmatch, packages) if match]
    if not found:
        message = (
            f"no Debian suite has a kernel of series {series.version} for {series.architecture} any more:"
            " take another series into MATRIX in tests/vm/kernels.py"
        )
        raise KernelMissingError(message)
    return [
        match[0] for match in sorted(found, key=lambda match: (_numbers(match[2]), match[1] == "binary"), reverse=True)
    ]


def _numbers(version: str) -> list[int]:
    """Return what versions are ordered by: `6.1.0-0.deb11.52` comes before `6.1.0-47`."""
    return [int(number) for number in re.findall(r"\d+", version)]
