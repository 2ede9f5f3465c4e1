"""The keys of the settings, found in their declaration: how each is called, what it may be, and how it is decoded.

A key has one name everywhere: `nats.min_score` is `min_score` in the table `[nats]` of a file, and the variable
`PYLOADER_NATS_MIN_SCORE`.
"""

import types
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec

from pyloader.config.redacted import redacted
from pyloader.config.settings import Settings

PREFIX: Final = "PYLOADER_"

_IN_WORDS: Final = {str: "text", Path: "a path", bool: "true or false", int: "a whole number", float: "a number"}

_LONGEST: Final = 80
"""As much of a wrong value is shown, in characters."""


class Key(NamedTuple):
    """One setting. `section` is the name of its table, or empty."""

    section: str
    name: str
    type: Any
    """What a value is decoded to."""
    check: Callable[[Any], None] | None
    """Raises `ValueError` for a value of the right type that makes no sense."""
    default: object
    """`None` if there is nothing in a file that says the same."""

    @property
    def path(self) -> str:
        """The name with that of the table."""
        return f"{self.section}.{self.name}" if self.section else self.name

    @property
    def variable(self) -> str:
        """The name of the variable of the environment."""
        return PREFIX + self.path.replace(".", "_").upper()

    @property
    def is_list(self) -> bool:
        """Whether it has several values."""
        return get_origin(self.type) is tuple

    @property
    def expected(self) -> str:
        """What a value must be, in words."""
        if not self.is_list:
            return _in_words(self.type)
        [item, *_] = get_args(self.type)
        return f"a list, each {_in_words(item)}"

    def decode(self, value: object) -> Any:  # noqa: ANN401 -- each key has a type of its own.
        """Return the value of this key. Raises `ValueError` that says what was expected, and what was there."""
        try:
            decoded = msgspec.convert(value, self.type, strict=True, dec_hook=_decode_path)
        except msgspec.ValidationError:
            message = f"expected {self.expected}, got {_shown(value)}"
            raise ValueError(message) from None
        if self.check is not None:
            self.check(decoded)
        return decoded

    def plain(self, text: str) -> object:
        """Return what a text stands for, as a file would hold it; the text itself if it is no such thing."""
        if self.is_list:
            return [item.strip() for item in text.split(",")]
        if self.type is bool:
            return {"true": True, "false": False}.get(text.lower(), text)
        if self.type in {int, float}:
            with suppress(ValueError):
                return self.type(text)
        return text


def _in_words(kind: Any) -> str:  # noqa: ANN401 -- any annotation.
    if get_origin(kind) is Literal:
        return f"one of {', '.join(get_args(kind))}"
    if issubclass(kind, StrEnum):
        return f"one of {', '.join(kind)}"
    return _IN_WORDS[kind]


def _shown(value: object) -> str:
    """Return a wrong value for a message, short and without secrets."""
    shown = redacted(repr(value))
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"


def _decode_path(kind: type, value: object) -> Path:
    """Return the path that a text stands for; no other type is unknown to msgspec."""
    if kind is not Path or not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
        raise ValueError
    return Path(value)


def _keys(settings: type[msgspec.Struct], section: str = "") -> Iterator[Key]:
    """Yield the keys of a struct of settings, those of its tables after its own."""
    hints = get_type_hints(settings, include_extras=True)
    defaults = settings()
    for name in settings.__struct_fields__:
        kind, check = hints[name], None
        if get_origin(kind) in {types.UnionType, Union}:
            # Nothing in a file says "none": who wants the default leaves the key out.
            [kind] = [one for one in get_args(kind) if one is not types.NoneType]
        if get_origin(kind) is Annotated:
            kind, check = get_args(kind)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield from _keys(kind, name)
        else:
            yield Key(section, name, kind, check, getattr(defaults, name))


KEYS: Final = {key.path: key for key in _keys(Settings)}
"""By path, as they are declared."""
