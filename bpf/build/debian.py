"""Fetch source archives from the Debian mirror that this machine already uses.

Everything apt writes goes to a folder of ours and the suite is named in a private sources list, so the
machine's own package lists stay as they are and no privileges are needed.
"""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bpf.build.failure import BuildError

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_ROLLING_NAMES = frozenset({"stable", "oldstable", "testing", "unstable", "sid"})


def fetch(packages: Sequence[str], suite: str, folder: Path) -> None:
    """Download the original archives of the source `packages` in `suite` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    state = folder / "apt"
    for name in ("lists/partial", "cache/archives/partial"):
        (state / name).mkdir(parents=True, exist_ok=True)
    trust = f"[signed-by={_KEYRING}] " if _KEYRING.exists() else ""
    sources_list = state / "sources.list"
    sources_list.write_text(f"deb-src {trust}{_mirror()} {suite} main\n")
    private = [
        f"-oDir::Etc::sourcelist={sources_list}",
        "-oDir::Etc::sourceparts=/dev/null",
        f"-oDir::State::Lists={state / 'lists'}",
        f"-oDir::Cache={state / 'cache'}",
        # As root apt would drop to a user that may not enter the checkout.
        "-oAPT::Sandbox::User=",
        "-qq",
    ]
    _apt_get([*private, "-oAPT::Update::Error-Mode=any", "update"], folder)
    _apt_get([*private, "source", "--download-only", "--tar-only", *packages], folder)


def _mirror() -> str:
    """Return the address of the main Debian archive in this machine's apt configuration."""
    rows = _apt_get(["indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"])
    releases = _ROLLING_NAMES | {_codename()}
    for row in rows.splitlines():
        address, _, release = row.partition(" ")
        if release in releases:
            return address
    message = f"apt knows no mirror of Debian's main archive: {_OTHER_WAY}"
    raise BuildError(message)


def _codename() -> str:
    """Return the code name of the running release, as `/etc/os-release` has it."""
    for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition("=")
        if key == "VERSION_CODENAME":
            return value.strip('"')
    return "stable"


_OTHER_WAY = "put the archives named in bpf/build/sources.toml into a folder and set PYLOADER_SOURCES to it"


def _apt_get(arguments: Sequence[str], folder: Path | None = None) -> str:
    """Run apt-get and return its output; raise BuildError with its complaint when it fails."""
    try:
        done = subprocess.run(
            ["apt-get", *arguments],
            cwd=folder,
            env=os.environ | {"LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        message = f"apt-get is not on this machine: {_OTHER_WAY}"
        raise BuildError(message) from None
    if done.returncode != 0:
        message = f"apt-get could not fetch the sources: {_OTHER_WAY}\n{done.stderr.strip()}"
        raise BuildError(message)
    return done.stdout
