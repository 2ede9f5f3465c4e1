"""A kernel that does not describe its types: this one, with its description hidden."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyloader.kernel import BTF_PATH


@contextmanager
def given_as_file() -> Iterator[Path]:
    """Give a file with the kernel's types, while the kernel itself shows none."""
    copy = Path("/tmp/kernel.btf")  # noqa: S108 -- nobody else is in this machine.
    shutil.copyfile(BTF_PATH, copy)
    subprocess.run(["busybox", "mount", "-t", "tmpfs", "none", BTF_PATH.parent], check=True)
    try:
        yield copy
    finally:
        subprocess.run(["busybox", "umount", BTF_PATH.parent], check=True)
