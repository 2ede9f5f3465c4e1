"""The public names and how they are called; a change shows in `public_api.txt`.

Public is what the modules in `PUBLIC` list in their `__all__`: the README promises that it stays.

`python tests/unit/test_public_api.py > tests/unit/public_api.txt` writes that file.
"""

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import ModuleType

import pytest

import pyloader
import pyloader.bridge
import pyloader.records
import pyloader.streams
import pyloader.testing

PUBLIC = (pyloader, pyloader.bridge, pyloader.records, pyloader.streams, pyloader.testing)

SNAPSHOT = Path(__file__).with_name("public_api.txt")


def _members(body: list[ast.stmt]) -> Iterator[str]:
    """Yield the fields and public methods of a class as the source declares them, whatever the version of Python."""
    for node in body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("_"):
                yield ast.unparse(node)
            case ast.Assign(targets=[ast.Name(id=name)]) if not name.startswith("_"):
                yield ast.unparse(node)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if name in _PROTOCOLS or not name.startswith("_"):
                    yield _signature(node)


_PROTOCOLS = ("__init__", "__iter__", "__aiter__", "__await__", "__enter__", "__aenter__")
"""Names that begin with an underscore and are called from outside."""


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    decorators = "".join(f"@{ast.unparse(one)} " for one in node.decorator_list)
    kind = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    result = f" -> {ast.unparse(node.returns)}" if node.returns is not None else ""
    return f"{decorators}{kind} {node.name}({ast.unparse(node.args)}){result}"


def _described(name: str, public: object) -> Iterator[str]:
    """Yield what a public name stands for; that a function remembers its results is its own affair."""
    public = inspect.unwrap(public) if callable(public) else public
    if not inspect.isclass(public) and not inspect.isfunction(public):
        yield f"{name}: {type(public).__name__}"
        return
    [declared] = ast.parse(textwrap.dedent(inspect.getsource(public))).body
    if isinstance(declared, ast.ClassDef):
        bases = ", ".join(ast.unparse(one) for one in [*declared.bases, *declared.keywords])
        yield f"class {name}({bases})" if bases else f"class {name}"
        yield from (f"    {member}" for member in _members(declared.body))
    else:
        assert isinstance(declared, ast.FunctionDef)
        declared.decorator_list.clear()
        yield _signature(declared)


def snapshot() -> str:
    """Return the public API as text."""
    lines: list[str] = []
    for module in PUBLIC:
        lines.append(f"# {module.__name__}")
        for name in module.__all__:
            lines += _described(name, getattr(module, name))
    return "".join(f"{line}\n" for line in lines)


def test_api_is_as_committed() -> None:
    """The public names, fields and signatures are those of the committed text."""
    assert SNAPSHOT.read_text() == snapshot()


@pytest.mark.parametrize("module", PUBLIC, ids=lambda module: module.__name__)
def test_names_are_sorted_and_there(module: ModuleType) -> None:
    """`__all__` is in order, constants first, and every name of it can be imported."""
    assert sorted(module.__all__, key=_rank) == module.__all__
    assert all(hasattr(module, name) for name in module.__all__)


def _rank(name: str) -> tuple[int, str]:
    """Return a key for the order of names that the linter asks for."""
    return 0 if name.isupper() else 1 if name[0].isupper() else 2, name


@pytest.mark.parametrize("module", PUBLIC, ids=lambda module: module.__name__)
def test_everything_public_is_documented(module: ModuleType) -> None:
    """Every public class and function, and every public method of a class, has a docstring."""
    named = {name: getattr(module, name) for name in module.__all__}
    documented = {name: one for name, one in named.items() if inspect.isclass(one) or inspect.isfunction(one)}
    for name, one in list(documented.items()):
        if inspect.isclass(one):
            methods = {key: value for key, value in vars(one).items() if not key.startswith("_")}
            documented |= {f"{name}.{key}": value for key, value in methods.items() if inspect.isfunction(value)}

    assert [name for name, one in documented.items() if not inspect.getdoc(one)] == []


def test_what_consumers_get_is_frozen() -> None:
    """Records, assessments, alerts and all figures are structs or named tuples that nobody can change.

    `Process` is not: it is the entry of the sensor's own table, which goes on to change.
    """
    structs = [
        one
        for module in PUBLIC
        for name in module.__all__
        if inspect.isclass(one := getattr(module, name)) and hasattr(one, "__struct_config__")
    ]

    assert {pyloader.Assessment, pyloader.Alert, pyloader.Stats, *pyloader.records.KERNEL_RECORDS} <= set(structs)
    assert [one.__name__ for one in structs if not one.__struct_config__.frozen] == []
    assert issubclass(pyloader.Change, tuple)
    assert issubclass(pyloader.Level, Enum)


def test_the_package_is_typed() -> None:
    """The marker that tells type checkers to read the annotations is there."""
    assert (Path(pyloader.__file__).parent / "py.typed").exists()


def test_every_error_is_a_pyloader_error() -> None:
    """One `except` catches whatever pyloader raises on purpose."""
    errors = [getattr(pyloader, name) for name in pyloader.__all__ if name.endswith("Error")]

    assert len(errors) == 11
    assert all(issubclass(error, pyloader.PyloaderError) for error in errors)


if __name__ == "__main__":
    sys.stdout.write(snapshot())
