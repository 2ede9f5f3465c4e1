"""The file of the settings: which one is read, and what stands in it, by key.

A file that is named must be there. Of the default ones the first that is there counts, alone: for an ordinary user that
in the own configuration folder (XDG), then, as for root, the one in /etc.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pyloader.config.keys import KEYS, PREFIX
from pyloader.errors import ConfigError

VARIABLE: Final = f"{PREFIX}CONFIG"
"""Names the file where no flag does."""

SYSTEM: Final = Path("/etc/pyloader/pyloader.toml")

_LARGEST: Final = 256 * 1024
"""Bytes of a file; no list of settings is so long."""

_SECTIONS: Final = tuple(dict.fromkeys(key.section for key in KEYS.values() if key.section))

_ORDINARY: Final = re.compile(r"[A-Za-z0-9_.-]{1,80}")


def choose(named: Path | None, environment: Mapping[str, str], uid: int) -> Path | None:
    """Return the file to read, or `None` if none is named and no default one is there."""
    if named is not None:
        return named
    if environment.get(VARIABLE):
        return Path(environment[VARIABLE])
    return next((path for path in _defaults(environment, uid) if path.exists()), None)


def _defaults(environment: Mapping[str, str], uid: int) -> Iterator[Path]:
    if uid:
        base = environment.get("XDG_CONFIG_HOME", "")
        home = Path(base) if base.startswith("/") else Path(environment.get("HOME", "/")) / ".config"
        yield home / "pyloader" / "pyloader.toml"
    yield SYSTEM


def read(path: Path) -> dict[str, object]:
    """Return what a file says, by key, as it stands there. Raises `ConfigError`.

    A relative path in a file starts at the folder of the file.
    """
    import tomllib  # noqa: PLC0415 -- who has no file does not pay for it.

    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        message = f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}"
        raise ConfigError(message) from error
    if len(content) > _LARGEST:
        message = f"{path}: is larger than {_LARGEST} bytes, which no file of settings is"
        raise ConfigError(message)
    try:
        said = tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        message = f"{path}: is not TOML: {str(error) or 'it is nested too deeply'}"
        raise ConfigError(message) from None
    return {key: _anchored(key, value, path.parent) for key, value in _by_key(path, said)}


def _by_key(path: Path, said: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for name, value in said.items():
        if name not in _SECTIONS:
            yield _known(path, name), value
            continue
        if not isinstance(value, dict):
            message = f"{path}: {name}: expected a table, as in [{name}]"
            raise ConfigError(message)
        for inner, one in value.items():
            yield _known(path, f"{name}.{inner}"), one


def _known(path: Path, key: str) -> str:
    """Return the key. Raises `ConfigError` that names the nearest one if there is no such key."""
    if key in KEYS:
        return key
    from difflib import get_close_matches  # noqa: PLC0415 -- who makes no mistake does not pay for it.

    elsewhere = [one.path for one in KEYS.values() if one.name == key.rpartition(".")[2]]
    nearest = elsewhere or get_close_matches(key, [*KEYS, *_SECTIONS], n=1)
    hint = f"; did you mean {nearest[0]}?" if nearest else f"; there are: {', '.join(KEYS)}"
    shown = key if _ORDINARY.fullmatch(key) else repr(key)[:80]
    message = f"{path}: {shown}: there is no such key{hint}"
    raise ConfigError(message)


def _anchored(key: str, value: object, folder: Path) -> object:
    return str(folder / value) if KEYS[key].type is Path and isinstance(value, str) and value else value
