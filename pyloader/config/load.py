"""From a file, the environment and flags to one `Settings`: the stronger source wins, key by key."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from pyloader.config import files
from pyloader.config.keys import KEYS, PREFIX
from pyloader.config.settings import NatsSettings, OutputSettings, Settings
from pyloader.errors import ConfigError

COMMAND_LINE: Final = "flag"
DEFAULT: Final = "default"

_FOR_OTHERS: Final = frozenset(
    f"{PREFIX}{name}"
    for name in (
        "CONFIG",
        "LIBBPF",
        # For those who build and test pyloader.
        "CORPUS",
        "DAYS",
        "DAYS_RECORDING",
        "MUTATIONS",
        "RECORDS",
        "REQUIRE_KERNEL",
        "RUN",
        "SOURCES",
        "TARGET_ARCH",
        "VM",
        "WORKLOAD_SECONDS",
    )
)
"""Variables that are no settings."""

_RIVALS: Final = (("min_score", "alert_budget"), ("state", "state_dir"))
"""Of two that contradict each other, that of the stronger source counts. To keep a state contradicts nothing."""


class Configuration(NamedTuple):
    """What is in force. `origins` tells for each key where its value comes from; `unknown` are variables."""

    settings: Settings
    origins: dict[str, str]
    file: Path | None
    unknown: list[str]


class _Layer(NamedTuple):
    """What one source says, by key, and what to call the source of each."""

    values: dict[str, Any]
    origins: dict[str, str]


def load(flags: Mapping[str, object], environment: Mapping[str, str], uid: int, file: Path | None) -> Configuration:
    """Return the settings in force.

    Args:
        flags: what the command line says, by key.
        environment: the variables.
        uid: of the user, which decides where the default files are.
        file: the file that the command line names.

    Raises:
        ConfigError: something cannot be read, or makes no sense.

    """
    chosen = files.choose(file, environment, uid)
    layers = [
        _decoded({} if chosen is None else files.read(chosen), dict.fromkeys(KEYS, str(chosen))),
        _decoded(_variables(environment), {key.path: key.variable for key in KEYS.values()}),
        _decoded(flags, dict.fromkeys(KEYS, COMMAND_LINE)),
    ]
    values: dict[str, Any] = {}
    origins = dict.fromkeys(KEYS, DEFAULT)
    for layer in layers:
        for key in _ruled_out(layer.values):
            values.pop(key, None)
            origins[key] = DEFAULT
        values |= layer.values
        origins |= layer.origins
    return Configuration(_settings(values), origins, chosen, list(_unknown(environment)))


def given(flags: Mapping[str, object]) -> Settings:
    """Return the settings of a command line alone."""
    return _settings(_decoded(flags, dict.fromkeys(KEYS, COMMAND_LINE)).values)


def _variables(environment: Mapping[str, str]) -> dict[str, object]:
    """Return what the environment says. An empty variable says nothing."""
    return {
        key.path: key.plain(environment[key.variable]) for key in KEYS.values() if environment.get(key.variable, "")
    }


def _unknown(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the variables that look like settings and are none."""
    known = {key.variable for key in KEYS.values()} | _FOR_OTHERS
    return (name for name in sorted(environment) if name.startswith(PREFIX) and name not in known)


def _decoded(said: Mapping[str, object], origins: Mapping[str, str]) -> _Layer:
    """Decode what one source says. Raises `ConfigError`."""
    values = {}
    for key, value in said.items():
        try:
            values[key] = KEYS[key].decode(value)
        except ValueError as error:
            message = f"{origins[key]}: {key}: {error}"
            raise ConfigError(message) from None
    for one, other in _RIVALS:
        if other in values and values.get(one, True) is not True:
            message = f"{origins[other]}: {other}: contradicts {one}, which stands there as well"
            raise ConfigError(message)
    return _Layer(values, {key: origins[key] for key in values})


def _ruled_out(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield what weaker sources may say, and what cannot be meant if a stronger one says this."""
    for one, other in _RIVALS:
        if values.get(one, True) is not True:
            yield other
        if other in values:
            yield one


def _settings(values: Mapping[str, Any]) -> Settings:
    """Return the settings with these values, and the defaults of all others."""

    def table(section: str) -> dict[str, Any]:
        return {KEYS[key].name: value for key, value in values.items() if KEYS[key].section == section}

    return Settings(**table(""), output=OutputSettings(**table("output")), nats=NatsSettings(**table("nats")))
