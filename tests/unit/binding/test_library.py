"""The table of foreign functions, and the library that has them."""

import ctypes
import inspect
import re
import sys
from pathlib import Path

import pytest

from pyloader.binding.library import LIBRARY_VARIABLE, PROTOTYPES, BatchStruct, Libbpf, library, library_path
from pyloader.errors import LibraryError, UnsupportedError

DECLARED = {name: method for name, method in vars(Libbpf).items() if inspect.isfunction(method) and name[0] != "_"}


def _load(monkeypatch: pytest.MonkeyPatch, path: Path | str) -> None:
    """Load another library as if it were the bundled one."""
    monkeypatch.setenv(LIBRARY_VARIABLE, str(path))
    library.__wrapped__()


def test_table_and_protocol_agree() -> None:
    """What is declared to C is what is declared to the type checker: the same functions, with as many arguments."""
    declared = {name: len(inspect.signature(method).parameters) - 1 for name, method in DECLARED.items()}

    assert declared == {name: len(prototype.arguments) for name, prototype in PROTOTYPES.items()}


def test_what_gives_nothing_has_no_checker() -> None:
    """A function without a result is declared so on both sides, and there is nothing to check."""
    silent = {name for name, prototype in PROTOTYPES.items() if prototype.result is None}

    assert silent == {name for name, method in DECLARED.items() if inspect.signature(method).return_annotation is None}
    assert {PROTOTYPES[name].checker for name in silent} == {None}


def test_bundled_library_has_every_function() -> None:
    """The library that ships has every function of the table."""
    loaded = library()

    assert [name for name in PROTOTYPES if not hasattr(loaded, name)] == []
    assert loaded.libbpf_version_string().startswith(b"v1.")
    assert loaded.libbpf_num_possible_cpus() >= 1


def test_library_is_loaded_once() -> None:
    """Everyone uses the same library."""
    assert library() is library()


def test_failure_raises() -> None:
    """NULL and negative results are raised with the reason that C gives and the name of the function."""
    with pytest.raises(OSError, match="bpf_object__open_mem") as null:
        library().bpf_object__open_mem(b"no ELF", 6, None)
    with pytest.raises(OSError, match="bpf_map_lookup_elem") as negative:
        library().bpf_map_lookup_elem(-1, None, None)

    assert null.value.strerror
    assert negative.value.strerror


def test_bundled_library_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variable the bundled library is used, and with it the named one."""
    monkeypatch.delenv(LIBRARY_VARIABLE, raising=False)
    assert library_path().parts[-3:] == ("pyloader", "lib", "libbpf.so.1")

    monkeypatch.setenv(LIBRARY_VARIABLE, "/opt/libbpf.so")
    assert library_path() == Path("/opt/libbpf.so")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "is missing"),
        (b"", "is damaged: it is no shared library"),
        (b"no library", "is damaged: it is no shared library"),
        (b"\x7fELF" + bytes(60), "is for another machine"),
    ],
)
def test_missing_or_damaged_library(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    """A library that cannot be loaded is named together with what is wrong with it and what to do."""
    path = tmp_path / "libbpf.so.1"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(LibraryError, match=f"the library {path} {reason}.*; unset PYLOADER_LIBBPF"):
        _load(monkeypatch, path)


def test_bundled_library_that_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the bundled library itself is what is missing, the way out is another wheel."""
    monkeypatch.delenv(LIBRARY_VARIABLE, raising=False)
    monkeypatch.setattr(sys.modules[library.__module__], "library_path", lambda: tmp_path / "libbpf.so.1")

    with pytest.raises(LibraryError, match="is missing; reinstall pyloader-ebpf from a wheel for this machine"):
        library.__wrapped__()


def test_library_that_the_loader_refuses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What looks like a library and cannot be linked is told with the loader's own words."""
    path = tmp_path / "libbpf.so.1"
    whole = library_path().read_bytes()
    path.write_bytes(whole[:64] + bytes(len(whole) - 64))

    with pytest.raises(LibraryError, match=f"the library {path} cannot be loaded: .*; unset PYLOADER_LIBBPF"):
        _load(monkeypatch, path)


def test_library_without_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another library than libbpf is refused with the first function that it lacks."""
    other = next(line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "libc.so.6" in line)
    with pytest.raises(UnsupportedError, match=r"has no function libbpf_version_string; .*unset PYLOADER_LIBBPF"):
        _load(monkeypatch, other)


def test_batch_structure(root: Path) -> None:
    """The structure of a batch has the fields of the C header, in order and of the same widths."""
    header = (root / "bpf" / "library" / "drain.h").read_text()
    body = re.search(r"struct pyloader_batch \{\n(.*?)\n\};", header, re.DOTALL)
    assert body is not None
    declared = re.findall(r"^\t(.+?) (\**)(\w+);", body[1], re.MULTILINE)

    assert [name for _, _, name in declared] == [name for name, _ in BatchStruct._fields_]
    widths = [8 if star else {"uint32_t": 4}[kind] for kind, star, _ in declared]
    assert widths == [ctypes.sizeof(field[1]) for field in BatchStruct._fields_]
