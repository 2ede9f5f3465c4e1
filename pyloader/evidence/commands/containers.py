"""Commands that cross the border between a container and its host."""

import re
from typing import Final

from pyloader.evidence.catalogue import HOST_MOUNTED, HOST_MOUNTED_SHELL, NAMESPACE_ENTERED, Finding
from pyloader.evidence.commands.rule import Rule, line
from pyloader.evidence.shell import Argv


def _nsenter(argv: Argv) -> Finding | None:
    text = f"{line(argv[1:])} "
    return Finding(NAMESPACE_ENTERED, line(argv)) if re.search(r"(?:-t\s*|--target[= ])1\s|/proc/1/ns", text) else None


def _container(argv: Argv) -> Finding | None:
    text = f"{line(argv[1:])} "
    if not re.search(r"\b(?:run|create|exec)\b", text):
        return None
    mounted = re.search(r"(?:-v|--volume|src=|source=)[= ]?/:/\S*|(?:src|source)=/,", text)
    privileged = "--privileged" in text and re.search(r"--pid[= ]host", text)
    if mounted and ":ro" not in text:
        opens = re.search(r"\bchroot\b|\s(?:/\w+)*/?(?:ba|da|z|a)?sh\s", text)
        return Finding(HOST_MOUNTED_SHELL if opens else HOST_MOUNTED, line(argv))
    return Finding(HOST_MOUNTED, line(argv)) if privileged else None


def leaves_container(argv: Argv, name: str) -> bool:
    """Whether a command that runs inside a container reaches out of it."""
    if name == "mount":
        return any(word.startswith("/dev/") for word in argv[1:])
    return name in ("insmod", "modprobe") or (name == "nsenter" and _nsenter(argv) is not None)


RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "nsenter": (_nsenter,),
    **dict.fromkeys(("docker", "podman", "nerdctl", "ctr", "crictl"), (_container,)),
}
