"""The examples of the README and of the docstrings, run as printed, with a recording in place of the kernel."""

import ast
import re
import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

import pyloader
from pyloader.errors import NatsUnreachableError
from pyloader.samples import SAMPLE
from pyloader.sources import ReplaySource

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(pyloader.__file__).parent

_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
_EXAMPLE = re.compile(r"^Example:\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _examples() -> Iterator[tuple[str, str]]:
    """Yield each example with a name."""
    for number, code in enumerate(_BLOCK.findall((ROOT / "README.md").read_text())):
        yield f"README-{number}", code
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, _DOCUMENTED):
                for code in _EXAMPLE.findall(ast.get_docstring(node) or ""):
                    yield f"{path.relative_to(PACKAGE)}-{getattr(node, 'name', 'module')}", textwrap.dedent(code)


async def _nobody(*_: object, **__: object) -> NoReturn:
    """Stand for a NATS server that is away: one that is there gets nothing of a test."""
    message = "no server"
    raise NatsUnreachableError(message)


EXAMPLES = dict(_examples())


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The example runs as it is printed, to its end, and shows something if it prints."""
    shutil.copy(SAMPLE, tmp_path / "run.rec")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pyloader.sensor.KernelSource", lambda *_, **__: ReplaySource(SAMPLE))
    monkeypatch.setattr("pyloader.nats.publisher.connecting.connect", _nobody)
    code = EXAMPLES[name]
    exec(compile(code, name, "exec"), {"__name__": "__main__"})  # noqa: S102 -- that is the test.

    assert ("print(" in code) <= bool(capsys.readouterr().out)


def test_there_are_examples() -> None:
    """The examples are found: those of the README, the package, the sensor, the bridge and the testing module."""
    assert {"README-0", "README-4", "__init__.py-module", "sensor.py-module", "bridge.py-module"} <= set(EXAMPLES)
    assert "testing.py-module" in EXAMPLES
