"""The cable between the watched host and its visitors: a pair of interfaces, one end in a namespace of its own."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

HOST, VISITOR = "10.77.0.2", "10.77.0.1"
INTERFACE = "days0"
NAMESPACE = "pyloader-visitors"


def ip(*words: str) -> None:
    """Change what the kernel knows of networks."""
    subprocess.run(["ip", *words], check=True)


@contextmanager
def cable() -> Iterator[None]:
    """Lay the cable, and take it away in the end."""
    take_away()
    try:
        ip("netns", "add", NAMESPACE)
        ip("link", "add", INTERFACE, "type", "veth", "peer", "name", "visit0", "netns", NAMESPACE)
        ip("address", "add", f"{HOST}/24", "dev", INTERFACE)
        ip("link", "set", INTERFACE, "up")
        ip("-n", NAMESPACE, "address", "add", f"{VISITOR}/24", "dev", "visit0")
        ip("-n", NAMESPACE, "link", "set", "visit0", "up")
        ip("-n", NAMESPACE, "link", "set", "lo", "up")
        yield
    finally:
        take_away()


def take_away() -> None:
    """Remove what is left of a cable."""
    for words in (["link", "delete", INTERFACE], ["netns", "delete", NAMESPACE]):
        subprocess.run(["ip", *words], check=False, stderr=subprocess.DEVNULL)
