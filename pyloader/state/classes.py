"""Which classes a snapshot may hold, and by what names.

A snapshot names classes, and whoever can write it can name any. So a name is looked up in the listed packages only,
must be that of the class itself and not of something that its module imports, and must belong to a plain class: one
that derives from nothing but classes of those packages, has no finaliser, and so can be made without running any code.

Classes say what is special about their attributes by class variables, all of them optional:

- `SETTINGS`, a frozenset of names: what the constructor was told. An object that a constructor made keeps its own.
- `DEFAULTS`, a dictionary by name: immutable values for what an older snapshot lacks.
"""

import importlib
import re
import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from types import MemberDescriptorType
from typing import Any, Final

import msgspec

from pyloader.errors import StateError

ALWAYS_SETTINGS: Final = frozenset({"capacity"})
"""How much room a table has is a setting everywhere: a new version may give it another."""

_BASES: Final = frozenset({tuple, *msgspec.Struct.__mro__})
_NAME: Final = re.compile(r"[a-z_][a-z0-9_.]*:[A-Za-z_][A-Za-z0-9_.]*")
_HARMLESS: Final = frozenset({"abc", "collections.abc", "typing"})
"""Modules whose classes add neither state nor code to those that derive from them."""


class Classes:
    """The classes and the constants of packages, by name.

    A constant is an object of such a class that a module holds under a name, by itself or in a tuple. It is not state:
    it is named as `module:NAME` or `module:NAME[index]`, and found again as what it now is.
    """

    def __init__(self, packages: tuple[str, ...]) -> None:
        self._packages = packages
        self._inside = tuple(f"{package}." for package in packages)
        self.constants = dict(self._named_constants())
        self.names_of_constants = {id(one): name for name, one in reversed(self.constants.items())}

    def holds(self, module: str) -> bool:
        """Return whether a module belongs to the packages."""
        return module in self._packages or module.startswith(self._inside)

    def name(self, cls: type) -> str:
        """Return the name of a class, or an empty text if it is none that a snapshot may hold."""
        name = f"{cls.__module__}:{cls.__qualname__}"
        return name if self._may_hold(cls) and self.find(name) is cls else ""

    def find(self, name: str) -> type | None:
        """Return the class with a name, or `None` if this version has none.

        Raises `StateError` if the name is not one of a plain class of the packages.
        """
        module, _, path = name.partition(":")
        if _NAME.fullmatch(name) is None or not self.holds(module):
            raise _denied(name)
        try:
            found: object = importlib.import_module(module)
            for part in path.split("."):
                found = vars(found)[part]
        except (ImportError, KeyError, TypeError):
            return None
        itself = isinstance(found, type) and (found.__module__, found.__qualname__) == (module, path)
        if not isinstance(found, type) or not itself or not self._may_hold(found):
            raise _denied(name)
        return found

    def _may_hold(self, cls: type) -> bool:
        if not self.holds(cls.__module__):
            return False
        return issubclass(cls, Enum) or (not hasattr(cls, "__del__") and all(map(self._is_plain, cls.__mro__)))

    def _is_plain(self, base: type) -> bool:
        module = base.__module__
        return base in _BASES or module in _HARMLESS or self.holds(module)

    def _named_constants(self) -> Iterator[tuple[str, object]]:
        for module in sorted(name for name in sys.modules if self.holds(name)):
            for name, value in sorted(vars(sys.modules[module]).items()):
                if self._is_constant(value):
                    yield f"{module}:{name}", value
                elif type(value) is tuple:
                    for index, member in enumerate(value):
                        if self._is_constant(member):
                            yield f"{module}:{name}[{index}]", member

    def _is_constant(self, value: object) -> bool:
        return self.holds(type(value).__module__) and not isinstance(value, Enum | type)


def _denied(name: str) -> StateError:
    return StateError(f"the snapshot names {name[:200]!r}, which is nothing that a snapshot may hold")


def is_named_tuple(cls: type) -> bool:
    """Return whether a class is one of named tuples."""
    return issubclass(cls, tuple) and hasattr(cls, "_fields")


def fields_of(cls: type) -> tuple[str, ...]:
    """Return the fields of a struct or of a named tuple, in order."""
    fields: tuple[str, ...] = getattr(cls, "_fields" if is_named_tuple(cls) else "__struct_fields__")
    return fields


def slots_of(cls: type) -> dict[str, MemberDescriptorType]:
    """Return the slots of a class and of those that it derives from, by the names of their attributes."""
    return {
        name: member
        for base in reversed(cls.__mro__)
        for name, member in vars(base).items()
        if isinstance(member, MemberDescriptorType)
    }


def settings_of(cls: type) -> frozenset[str]:
    """Return the names of the attributes that are settings."""
    declared: frozenset[str] = getattr(cls, "SETTINGS", frozenset())
    return declared | ALWAYS_SETTINGS


def defaults_of(cls: type) -> dict[str, Any]:
    """Return what stands for attributes that a snapshot lacks; structs see to that themselves."""
    declared: Mapping[str, Any] = getattr(cls, "_field_defaults" if is_named_tuple(cls) else "DEFAULTS", {})
    return dict(declared)
