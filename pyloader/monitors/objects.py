"""The object files that ship, and the proof that they are what the build wrote.

libbpf and the kernel's verifier are handed only files whose checksum stands in the manifest beside them.
"""

from pathlib import Path

from pyloader.errors import ObjectError

OBJECTS = Path(__file__).parents[1] / "objects"

MANIFEST = "SHA256SUMS"
"""Written by the build, one line per object, as `sha256sum` writes and checks it."""

_WAY_OUT = "reinstall pyloader-ebpf"


def read_object(name: str, folder: Path = OBJECTS) -> bytes:
    """Return the bytes of an object file. Raises `ObjectError` if it or the manifest is missing or damaged."""
    expected = _checksums(folder).get(name)
    if expected is None:
        message = f"the manifest {folder / MANIFEST} does not list {name}; {_WAY_OUT}"
        raise ObjectError(message)
    data = _read(folder / name)
    if digest(data).hex() != expected:
        message = f"the BPF object {folder / name} is damaged: its checksum is not the manifest's; {_WAY_OUT}"
        raise ObjectError(message)
    return data


def digest(data: bytes) -> bytes:
    """Return the SHA-256 of an object file, which tells it from every other."""
    import hashlib  # noqa: PLC0415 -- takes three milliseconds, and only who loads an object needs it.

    return hashlib.sha256(data).digest()


def _checksums(folder: Path) -> dict[str, str]:
    """Return the checksum of each object by its name."""
    lines = _read(folder / MANIFEST).decode(errors="replace").splitlines()
    return {name: checksum for checksum, _, name in (line.partition("  ") for line in lines)}


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        message = f"{file} is missing; {_WAY_OUT}"
        raise ObjectError(message) from None
    except OSError as error:
        message = f"{file} cannot be read: {error.strerror}; {_WAY_OUT}"
        raise ObjectError(message) from error
