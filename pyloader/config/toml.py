"""Settings as the text of a file that says the same, with where each value comes from."""

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from pyloader.config.keys import KEYS, Key
from pyloader.config.redacted import redacted
from pyloader.config.settings import Settings


def written(settings: Settings, origins: Mapping[str, str]) -> str:
    """Return the settings as TOML, each with its origin. What has no value stands in a comment.

    Passwords and tokens in addresses are replaced by ***.
    """
    lines = []
    section = ""
    for key in KEYS.values():
        if key.section != section:
            section = key.section
            lines += ["", f"[{section}]"]
        value = plain(settings, key)
        entry = f"{key.name} = {_literal(value)}" if value is not None else f"# {key.name} is not set"
        lines.append(f"{entry}  # {_comment(origins[key.path])}" if value is not None else entry)
    return "".join(f"{line}\n" for line in lines)


def plain(settings: Settings, key: Key) -> Any:  # noqa: ANN401 -- each key has a type of its own.
    """Return the value of a key as a file holds it, without secrets; `None` if it has none."""
    value = value_of(settings, key)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Enum | Path):
        return str(value)
    return redacted(value) if key.path == "nats.url" else value


def value_of(settings: Settings, key: Key) -> Any:  # noqa: ANN401 -- as above.
    """Return the value of a key."""
    return getattr(getattr(settings, key.section) if key.section else settings, key.name)


def _literal(value: object) -> str:
    """Return a value in the words of TOML."""
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{"".join(map(_character, value))}"'
    return repr(value)


def _character(one: str) -> str:
    """Return a character as it stands in a basic string of TOML."""
    if one in {'"', "\\"}:
        return f"\\{one}"
    return one if one.isprintable() else f"\\U{ord(one):08x}"


def _comment(text: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in text)
