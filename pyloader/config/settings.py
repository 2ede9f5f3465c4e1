"""Every setting of `pyloader run`, with its default: the one declaration of what a file may say."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from pyloader.alerts.alert import MEDIUM_FROM
from pyloader.sources.live import RING_BYTES

Score = Annotated[float, msgspec.Meta(ge=0, le=100)]
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
    stream: str = ""
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
    spool_bytes: Annotated[int, msgspec.Meta(ge=65_536)] = 256 * 1024 * 1024
    spool_seconds: Annotated[float, msgspec.Meta(gt=0)] = 86_400.0


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of it."""

    monitors: tuple[str, ...] | None = None
    """Which monitors run; all that can if omitted."""
    interfaces: tuple[str, ...] = ()
    min_score: Score | None = None
    """The lowest score that is reported; at most one of this and `alert_budget` is given."""
    alert_budget: str | None = None
    """How often ordinary work may raise an alert, as in "1/day"."""
    score: bool = True
    """Whether this host scores its records; one that does not only publishes or records them."""
    workers: Annotated[int, msgspec.Meta(ge=1, le=16)] = 1
    """How many processes score."""
    state_dir: Path | None = None
    state: bool = True
    """Whether what is learned is kept."""
    instance: str = "default"
    duration: Annotated[float, msgspec.Meta(gt=0)] | None = None
    """Seconds after which to stop."""
    hooks: str | None = None
    transport: Literal["ring", "perf"] | None = None
    ring_bytes: int = RING_BYTES
    btf: Path | None = None
    output: OutputSettings = OutputSettings()
    nats: NatsSettings = NatsSettings()
