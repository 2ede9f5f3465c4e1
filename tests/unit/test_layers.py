"""Data moves one way through the package, and so do its imports."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import pyloader

PACKAGE = Path(pyloader.__file__).parent

LAYERS = (
    ("errors",),
    ("learners", "state", "ownership"),
    ("binding", "hub"),
    ("kernel", "attach"),
    ("records",),
    ("monitors", "host"),
    ("evidence", "sources"),
    ("scorer",),
    ("alerts",),
    ("pipeline",),
    ("sinks", "streams", "workers"),
    ("engine",),
    ("sensor", "config"),
    ("nats",),
    ("bridge", "samples", "testing"),
    ("",),
    ("cli",),
    ("__main__",),
)
"""The parts of the package. Each may import from the rows above its own, never from its own row or below it.

`""` is `pyloader/__init__.py`, the public face.
"""

INSIDE = {
    "binding": (("elf",), ("library",), ("counters", "handle", "log", "pins", "probe"), ("found", "objects", "ring")),
    "kernel": (
        ("finding", "host"),
        ("interfaces", "mounts", "parts", "rights", "types"),
        ("features",),
        ("policy",),
        ("refusal", "survey"),
    ),
    "monitors": (
        ("instance", "ladder", "objects", "steering", "transport"),
        ("active", "addresses", "climb", "connection", "memory", "network", "prepare", "process"),
        ("lane", "pinned", "stale"),
        ("loaded",),
        ("on_interfaces",),
        ("attention",),
    ),
    "attach": (("events", "namespaces", "xdp"), ("interfaces",)),
    "sources": (
        ("cgroups", "labels", "losses", "merge", "replay", "source", "traffic"),
        ("reading",),
        ("lane", "live"),
        ("lanes",),
    ),
}
"""The modules of the parts that touch the kernel, under the same rule."""


class Import(NamedTuple):
    """An import as it stands in the code: `names` are empty for a plain `import`."""

    importer: str
    target: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.importer} imports {', '.join(self.names) or 'all'} of {self.target}"


def _modules() -> dict[str, Path]:
    """Return the files of the package by the name of their module."""
    files = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ("pyloader", *path.relative_to(PACKAGE).with_suffix("").parts)
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return files


MODULES = _modules()


def _is_type_checking(node: ast.AST) -> bool:
    """Return whether a statement is run by type checkers only."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _run_time(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is below a node, without what only type checkers see.

    Such imports are excepted: they never run, and so can neither cost anything nor close a circle.
    """
    for child in ast.iter_child_nodes(node):
        if not _is_type_checking(child):
            yield child
            yield from _run_time(child)


def _imports(module: str) -> Iterator[Import]:
    """Yield every import that a module can execute, those inside of functions as well."""
    for node in _run_time(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, alias.name, ())
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            yield Import(module, str(node.module), tuple(alias.name for alias in node.names))


def _every_import() -> list[Import]:
    return [one for module in MODULES for one in _imports(module)]


def _part(module: str) -> str:
    """Return the part of the package that a module belongs to."""
    return module.split(".")[1] if "." in module else ""


def _parts_imported(one: Import) -> set[str]:
    """Return which parts of the package an import needs. `from pyloader import kernel` is one of `kernel`."""
    if one.target == "pyloader":
        return {name if f"pyloader.{name}" in MODULES else "" for name in one.names} or {""}
    return {_part(one.target)}


def _row(part: str) -> int:
    return next(number for number, row in enumerate(LAYERS) if part in row)


def test_every_module_has_its_place() -> None:
    """Every part of the package stands in one layer, and every place is taken."""
    assert {_part(module) for module in MODULES} == {part for row in LAYERS for part in row}
    assert len({part for row in LAYERS for part in row}) == sum(map(len, LAYERS))


def test_imports_point_upwards() -> None:
    """No module imports from its own layer or from one below it."""
    internal = [one for one in _every_import() if one.target.split(".")[0] == "pyloader"]
    wrong = [
        str(one)
        for one in internal
        for part in _parts_imported(one)
        if part != _part(one.importer) and _row(part) >= _row(_part(one.importer))
    ]

    assert internal
    assert wrong == []


@pytest.mark.parametrize("part", INSIDE)
def test_layers_inside_of_a_part(part: str) -> None:
    """The parts that touch the kernel have layers of their own: what is loaded or read stands below what helps it."""
    rows = {f"pyloader.{part}.{name}": row for row, names in enumerate(INSIDE[part]) for name in names}
    wrong = [
        str(one)
        for module, row in rows.items()
        for one in _imports(module)
        if one.target.startswith(f"pyloader.{part}.") and rows[one.target] >= row
    ]

    assert set(rows) == {module for module in MODULES if module.startswith(f"pyloader.{part}.")}
    assert wrong == []


def test_no_circle_inside_of_a_part() -> None:
    """Modules of one part do not import each other in circles."""
    needs = {
        module: {one.target for one in _imports(module) if one.target in MODULES and _part(one.target) == _part(module)}
        for module in MODULES
        if _part(module)
    }
    # A package's own face holds its public names, and is complete before it imports a module that asks for them.
    faces = {module for module, path in MODULES.items() if path.name == "__init__.py"}
    left = {module: targets - faces for module, targets in needs.items() if module not in faces}
    while free := [module for module, targets in left.items() if not targets & set(left)]:
        for module in free:
            del left[module]

    assert left == {}


def test_ctypes_stays_in_the_binding() -> None:
    """Only the binding calls foreign functions."""
    users = {
        _part(one.importer) for one in _every_import() if one.target.split(".")[0] in {"ctypes", "_ctypes", "cffi"}
    }

    assert users == {"binding"}


def test_kernel_is_called_by_those_who_load() -> None:
    """Only what asks the kernel and what loads monitors uses the binding: all behind them gets records."""
    users = {_part(one.importer) for one in _every_import() if one.target.startswith("pyloader.binding")}

    assert users - {"binding"} == {"kernel", "monitors"}


@pytest.mark.parametrize("module", ["random", "secrets", "uuid"])
def test_no_randomness(module: str) -> None:
    """Nothing is left to chance: no module can draw random numbers."""
    assert [str(one) for one in _every_import() if one.target == module] == []


def test_stages_behind_the_source_read_no_clock() -> None:
    """What assesses records takes its time from them: it can neither read a clock nor look at the host."""
    stages = {"learners", "evidence", "scorer", "alerts", "pipeline"}
    lookers = {"time", "os", "socket", "subprocess", "platform"}

    assert [str(one) for one in _every_import() if _part(one.importer) in stages and one.target in lookers] == []


def _probe(code: str) -> "dict[str, list[str]]":
    """Run code in a fresh interpreter and return what it prints as JSON."""
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, check=True, text=True)
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


_LOADED = """\
import json, sys
# What msgspec needs is its affair.
import msgspec
class Sample(msgspec.Struct):
    field: int
msgspec.json.Decoder(Sample)
before = set(sys.modules)
import pyloader
new = {name.partition('.')[0] for name in set(sys.modules) - before}
print(json.dumps({'others': sorted(new - set(sys.stdlib_module_names)), 'asyncio': sorted(new & {'asyncio'})}))
"""


def test_import_needs_no_extras() -> None:
    """`import pyloader` brings in neither pyroute2 nor asyncio, and of other people's packages only msgspec."""
    assert _probe(_LOADED) == {"others": ["pyloader"], "asyncio": []}


_AUDITED = """\
import importlib, json, sys
# What the standard library and msgspec do at their import is their affair.
import pyloader
for name in [name for name in sys.modules if name.partition('.')[0] == 'pyloader']:
    del sys.modules[name]
done = []
QUIET = ('import', 'compile', 'exec', 'marshal.', 'object.', 'sys.', 'code.', 'builtins.', 'os.listdir', 'os.scandir')
def audit(event, arguments):
    if event == 'open' and str(arguments[0]).endswith(('.py', '.pyc', '.so')) or event.startswith(QUIET):
        return
    if event == 'open' and '.pyc.' in str(arguments[0]) or event in ('os.mkdir', 'os.rename'):
        return
    done.append(f'{event} {arguments}')
sys.addaudithook(audit)
for name in %(modules)r:
    importlib.import_module(name)
print(json.dumps({'done': done}))
"""


def test_import_does_no_work() -> None:
    """Importing loads no library, opens no file, starts no process, and changes no setting of the process."""
    modules = [module for module in MODULES if module != "pyloader.__main__"]

    assert _probe(_AUDITED % {"modules": modules}) == {"done": []}


def test_what_belongs_to_the_host_program() -> None:
    """Only the command line handles signals, configures logging and writes to standard streams."""
    owners = {
        "signal": {_part(one.importer) for one in _every_import() if one.target == "signal"},
        "streams": {_part(module) for module, path in MODULES.items() if _uses(path, {"stdout", "stderr"}, "sys")},
        "logging": {_part(module) for module, path in MODULES.items() if _uses(path, {"basicConfig"}, "logging")},
        "print": {_part(module) for module, path in MODULES.items() if _uses(path, {"print"}, None)},
    }

    # A worker is a program of its own, and so is `python -m pyloader.records.generate`, for those who build.
    assert owners == {"signal": {"cli", "workers"}, "streams": {"cli", "records"}, "logging": {"cli"}, "print": set()}


def _uses(path: Path, names: set[str], module: str | None) -> bool:
    """Return whether code uses one of these names of a module, or of the language."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner == module and name in names:
                return True
            case ast.Name(id=name) if module is None and name in names:
                return True
    return False
