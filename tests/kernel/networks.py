"""Two network namespaces on one cable: somebody outside, and the host that is watched."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

OUTSIDE, INSIDE = "10.66.0.1", "10.66.0.2"
OUTSIDE6, INSIDE6 = "fd66::1", "fd66::2"


class Cable(NamedTuple):
    """The names of the two namespaces, and of the interface of the watched one."""

    outside: str
    inside: str
    interface: str

    def start(self, command: Sequence[str | Path], *, inside: bool = False) -> "subprocess.Popen[bytes]":
        """Start a command in a namespace, without its output."""
        quiet: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        return subprocess.Popen([*self._within(inside=inside), *map(str, command)], **quiet)

    def run(self, command: Sequence[str | Path], *, inside: bool = False, seconds: float = 60) -> int:
        """Run a command to its end, or for so many seconds, and return its pid."""
        with self.start(command, inside=inside) as process:
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
        return process.pid

    def _within(self, *, inside: bool) -> list[str]:
        return ["nsenter", f"--net=/run/netns/{self.inside if inside else self.outside}"]


def ip(*words: str) -> None:
    """Change what the kernel knows of networks."""
    subprocess.run(["ip", *words], check=True)


@contextmanager
def cable() -> Iterator[Cable]:
    """Yield two namespaces that are joined, and remove them."""
    outside, inside = (f"pyloader-{side}-{os.getpid()}" for side in ("out", "in"))
    try:
        ip("netns", "add", outside)
        ip("netns", "add", inside)
        ip("-n", outside, "link", "add", "veth0", "type", "veth", "peer", "name", "veth1", "netns", inside)
        for name, link, address, address6, other in (
            (outside, "veth0", OUTSIDE, OUTSIDE6, INSIDE),
            (inside, "veth1", INSIDE, INSIDE6, OUTSIDE),
        ):
            ip("-n", name, "address", "add", f"{address}/24", "dev", link)
            ip("-n", name, "address", "add", f"{address6}/64", "dev", link, "nodad")
            ip("-n", name, "link", "set", "lo", "up")
            ip("-n", name, "link", "set", link, "up")
            ip("-n", name, "route", "add", "default", "via", other)
        yield Cable(outside, inside, "veth1")
    finally:
        for name in (outside, inside):
            subprocess.run(["ip", "netns", "delete", name], check=False)
