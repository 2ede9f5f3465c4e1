"""The public names and how they are called; a change shows in `public_api.txt`.

`python tests/unit/test_public_api.py > tests/unit/public_api.txt` writes that file.
"""

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pyloader

SNAPSHOT = Path(__file__).with_name("public_api.txt")


def _members(body: list[ast.stmt]) -> Iterator[str]:
    """Yield the fields and public methods of a class as the source declares them, whatever the version of Python."""
    for node in body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("_"):
                yield ast.unparse(node)
            case ast.Assign(targets=[ast.Name(id=name)]) if not name.startswith("_"):
                yield ast.unparse(node)
            case ast.FunctionDef(name=name) if name == "__init__" or not name.startswith("_"):
                decorators = "".join(f"@{ast.unparse(one)} " for one in node.decorator_list)
                result = f" -> {ast.unparse(node.returns)}" if node.returns is not None else ""
                yield f"{decorators}def {name}({ast.unparse(node.args)}){result}"


def snapshot() -> str:
    """Return the public API as text."""
    lines = []
    for name in pyloader.__all__:
        public = getattr(pyloader, name)
        [declared] = ast.parse(textwrap.dedent(inspect.getsource(public))).body
        assert isinstance(declared, ast.ClassDef)
        bases = ", ".join(ast.unparse(one) for one in [*declared.bases, *declared.keywords])
        lines.append(f"class {name}({bases})" if bases else f"class {name}")
        lines += [f"    {member}" for member in _members(declared.body)]
    return "".join(f"{line}\n" for line in lines)


def test_api_is_as_committed() -> None:
    """The public names, fields and signatures are those of the committed text."""
    assert SNAPSHOT.read_text() == snapshot()


def test_names_are_sorted_and_there() -> None:
    """`__all__` is in order and every name of it can be imported."""
    assert sorted(pyloader.__all__) == pyloader.__all__
    assert all(hasattr(pyloader, name) for name in pyloader.__all__)


def test_every_error_is_a_pyloader_error() -> None:
    """One `except` catches whatever pyloader raises on purpose."""
    errors = [getattr(pyloader, name) for name in pyloader.__all__ if name.endswith("Error")]

    assert len(errors) == 6
    assert all(issubclass(error, pyloader.PyloaderError) for error in errors)


if __name__ == "__main__":
    sys.stdout.write(snapshot())
