"""Skip work whose inputs and outputs are unchanged."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from bpf.build.layout import WORK

CHAIN = [path for path in Path(__file__).parent.iterdir() if path.suffix in {".py", ".toml"}]
"""The build chain itself: whoever changes it gets everything built anew."""


class Stamp:
    """Remembers what a build step read and wrote, both by content."""

    def __init__(self, name: str, files: Iterable[Path], settings: Iterable[str]) -> None:
        """Take the step's `name`, the `files` it reads and the `settings` that shape its outputs."""
        self._record = WORK / "stamps" / f"{name}.json"
        inputs = hashlib.sha256("\0".join(settings).encode())
        for file in sorted({*files, *CHAIN}):
            inputs.update(f"\0{file.name}\0".encode() + file.read_bytes())
        self._inputs = inputs.hexdigest()

    def holds(self, outputs: Iterable[Path]) -> bool:
        """Whether the step last ran on the same inputs and wrote exactly these `outputs`."""
        try:
            return self._record.read_text(encoding="utf-8") == self._describe(outputs)
        except FileNotFoundError:
            return False

    def set(self, outputs: Iterable[Path]) -> None:
        """Remember the step as done."""
        self._record.parent.mkdir(parents=True, exist_ok=True)
        self._record.write_text(self._describe(outputs), encoding="utf-8")

    def _describe(self, outputs: Iterable[Path]) -> str:
        """Return inputs and outputs as text; an output that is not there raises FileNotFoundError."""
        written = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in outputs}
        return json.dumps({"inputs": self._inputs, "outputs": written}, indent=2)
