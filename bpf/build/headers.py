"""libbpf's headers under the name by which programs include them: `<bpf/…>`."""

import shutil
from pathlib import Path

from bpf.build.layout import WORK
from bpf.build.sources import Source


def libbpf_headers(libbpf: Source) -> Path:
    """Return an include folder with a `bpf/` folder in it; the pinned archive keeps these files in `src/`."""
    include = WORK / "include" / libbpf.folder.name
    if not include.exists():
        partial = include.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        (partial / "bpf").mkdir(parents=True)
        for header in (libbpf.folder / "src").glob("*.h"):
            shutil.copyfile(header, partial / "bpf" / header.name)
        partial.rename(include)
    return include
