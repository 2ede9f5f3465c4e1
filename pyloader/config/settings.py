"""Every setting of `pyloader run`, with its default: the one declaration of what a file may say."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from pyloader.alerts.alert import MEDIUM_FROM
from pyloader.config import checks
from pyloader.config.redacted import redacted
from pyloader.monitors import MONITORS, ON_INTERFACES, Transport
from pyloader.sources.live import RING_BYTES
from pyloader.state import default_folder

Score = Annotated[float, checks.score]
Seconds = Annotated[float, checks.seconds]
Publishable = Literal["alerts", "assessments", "records"]

SUBJECT = "pyloader.{host}.{domain}.{type}"


class OutputSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is shown on standard output, and what is recorded."""

    format: Literal["text", "json"] = "text"
    events: bool = False
    """Whether every record is shown, not only alerts."""
    record: Path | None = None
    """A file that gets every raw record."""


class NatsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to publish, as whom, and what. Secrets are in files, of which only the paths stand here."""

    url: str = ""
    """One or more addresses of servers, with commas between them; nothing is published without any."""
    subject: str = SUBJECT
    """The template of the subjects."""
    publish: tuple[Publishable, ...] = ("alerts",)
    min_score: Score = MEDIUM_FROM
    """The lowest score of assessments that are published."""
    stream: Annotated[str, checks.stream] = ""
    """The JetStream stream that keeps what is published; core NATS, which keeps nothing, without a name."""
    credentials: Path | None = None
    """A file of a user's JWT and seed."""
    nkey: Path | None = None
    """A file of a seed."""
    user: str = ""
    password_file: Path | None = None
    token_file: Path | None = None
    tls_ca: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    spool: Path | None = None
    """The folder that keeps what the server has not yet acknowledged; below that of the state if omitted."""
    spool_bytes: Annotated[int, checks.spool_bytes] = 256 * 1024 * 1024
    spool_seconds: Seconds = 86_400.0

    def __repr__(self) -> str:
        shown = {name: getattr(self, name) for name in self.__struct_fields__} | {"url": redacted(self.url)}
        return f"NatsSettings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of it. What a field is annotated with checks its value (see `pyloader.config.checks`)."""

    monitors: Annotated[tuple[str, ...], checks.monitors] | None = None
    """Which monitors run; all that can if omitted."""
    interfaces: Annotated[tuple[str, ...], checks.interfaces] = ()
    min_score: Score | None = None
    """The lowest score that is reported; at most one of this and `alert_budget` is given."""
    alert_budget: Annotated[str, checks.budget] | None = None
    """How often ordinary work may raise an alert, as in "1/day"."""
    score: bool = True
    """Whether this host scores its records; one that does not only publishes or records them."""
    workers: Annotated[int, checks.workers] = 1
    """How many processes score."""
    state_dir: Path | None = None
    state: bool = True
    """Whether what is learned is kept."""
    instance: Annotated[str, checks.instance] = "default"
    duration: Seconds | None = None
    """Seconds after which to stop."""
    hooks: str | None = None
    transport: Transport | None = None
    ring_bytes: Annotated[int, checks.ring_bytes] = RING_BYTES
    btf: Path | None = None
    output: OutputSettings = OutputSettings()
    nats: NatsSettings = NatsSettings()

    @property
    def watching(self) -> list[str]:
        """The names of the monitors that run, each once; the network monitor is idle without interfaces."""
        if self.monitors is not None:
            return list(dict.fromkeys(self.monitors))
        return [*MONITORS, *(ON_INTERFACES if self.interfaces else ())]

    @property
    def threshold(self) -> float:
        """The lowest score that is reported."""
        if self.alert_budget is not None:
            return checks.threshold_of(self.alert_budget)
        return MEDIUM_FROM if self.min_score is None else self.min_score

    @property
    def wants_events(self) -> bool:
        """Whether somebody is to have every assessment, and not only alerts."""
        return self.output.events or (bool(self.nats.url) and "assessments" in self.nats.publish)

    def state_folder(self, environment: Mapping[str, str]) -> Path:
        """Return where the state is, if it is kept. Each instance has a folder of its own by default."""
        if self.state_dir is not None:
            return self.state_dir
        folder = default_folder(os.geteuid(), environment)
        return folder if self.instance == "default" else folder.with_name(f"{folder.name}-{self.instance}")
