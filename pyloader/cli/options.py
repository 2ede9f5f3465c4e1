"""Options that several commands share, and how they become settings.

An option that is a setting has the path of its key as `dest`, and nothing as default: what is not given is left to the
environment, the file, and the declaration (see `pyloader.config`). So parsers that have such options are made with
`argument_default=argparse.SUPPRESS`.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from pyloader import config
from pyloader.alerts.alert import MEDIUM_FROM
from pyloader.config import KEYS, Configuration, OutputSettings, Settings, checks
from pyloader.monitors import MONITORS, ON_INTERFACES, Monitor, Transport
from pyloader.sinks import JsonSink, Sink, TextSink
from pyloader.sources.live import RING_BYTES
from pyloader.state.folder import SYSTEM

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Group: TypeAlias = "argparse.ArgumentParser | argparse._ArgumentGroup | argparse._MutuallyExclusiveGroup"


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the choice of the file of settings."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="settings that hold where neither flags nor variables say otherwise; default: PYLOADER_CONFIG, else"
        " ~/.config/pyloader/pyloader.toml for ordinary users, else /etc/pyloader/pyloader.toml",
    )


def add_watching(parser: argparse.ArgumentParser) -> None:
    """Add what decides how this host is watched."""
    _add(
        parser,
        "--monitors",
        "monitors",
        "NAME[,NAME…]",
        f"which monitors to run, of: {', '.join([*MONITORS, *ON_INTERFACES])}; default: all that can",
    )
    parser.add_argument(
        "--interface",
        dest="interfaces",
        action="extend",
        type=of("interfaces"),
        metavar="IF",
        help="an interface for the network monitor, as often as wanted; without any it is idle",
    )
    add_threshold(parser)
    parser.add_argument(
        "--no-score",
        dest="score",
        action="store_false",
        help="only record and publish what is seen, for `pyloader score` elsewhere",
    )
    _add(parser, "--workers", "workers", "N", "how many processes score; more than one are of use to many services")
    _add(parser, "--duration", "duration", "SECONDS", "stop after this time")
    _add(parser, "--record", "output.record", "FILE", "keep every raw record for `pyloader replay`")
    add_state(parser)
    add_instance(parser)
    _add(parser, "--hooks", "hooks", "KIND", "force a kind of hook, such as tp; default: the best that hold")
    parser.add_argument(
        "--transport", choices=list(map(str, Transport)), help="how records come; default: ring if there is one"
    )
    add_ring_bytes(parser)
    add_btf(parser)


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add what decides about the output."""
    parser.add_argument("--format", dest="output.format", choices=("text", "json"), help="default: text")
    add_events(parser)


def add_events(parser: argparse.ArgumentParser) -> None:
    """Add the choice to show everything."""
    parser.add_argument(
        "--events", dest="output.events", action="store_true", help="show every record, not only alerts"
    )


def add_threshold(parser: argparse.ArgumentParser) -> None:
    """Add what decides about alerts."""
    threshold = parser.add_mutually_exclusive_group()
    _add(
        threshold, "--min-score", "min_score", "N", f"lowest score that is reported, 0 to 100; default: {MEDIUM_FROM:g}"
    )
    _add(
        threshold,
        "--alert-budget",
        "alert_budget",
        "N/PERIOD",
        "report so much that ordinary work makes about N alerts per hour, day, week or month, as in 1/day",
    )


def add_nats(parser: argparse.ArgumentParser) -> None:
    """Add where NATS is, as whom to use it, and where in it the product's messages are."""
    group = parser.add_argument_group("NATS")
    group.add_argument("--nats", dest="nats.url", type=_address, metavar="URL[,URL…]", help="addresses of servers")
    _add(group, "--nats-stream", "nats.stream", "NAME", "the JetStream stream; default: core NATS, which keeps nothing")
    _add(group, "--nats-subject", "nats.subject", "TEMPLATE", f"default: {KEYS['nats.subject'].default}")
    _add(group, "--nats-credentials", "nats.credentials", "FILE", "a file of a user's JWT and seed")
    _add(group, "--nats-nkey", "nats.nkey", "FILE", "a file of a seed")
    _add(group, "--nats-user", "nats.user", "NAME", "the user to whom the password belongs")
    _add(group, "--nats-password-file", "nats.password_file", "FILE", "a file of a password")
    _add(group, "--nats-token-file", "nats.token_file", "FILE", "a file of a token")
    _add(group, "--nats-tls-ca", "nats.tls_ca", "FILE", "whom to trust in place of the system's authorities")
    _add(group, "--nats-tls-certificate", "nats.tls_certificate", "FILE", "a certificate to show")
    _add(group, "--nats-tls-key", "nats.tls_key", "FILE", "the key of that certificate")


def add_publishing(parser: argparse.ArgumentParser) -> None:
    """Add what is published, and what is kept of it while the server is away."""
    group = parser.add_argument_group("what is published")
    _add(group, "--nats-publish", "nats.publish", "WHAT[,WHAT…]", "of: alerts, assessments, records; default: alerts")
    _add(
        group,
        "--nats-min-score",
        "nats.min_score",
        "N",
        f"lowest score of assessments that are published; default: {MEDIUM_FROM:g}",
    )
    _add(group, "--nats-spool", "nats.spool", "DIR", "folder that keeps what the server has not acknowledged")
    _add(group, "--nats-spool-bytes", "nats.spool_bytes", "BYTES", "size of the spool; default: 268435456")
    _add(group, "--nats-spool-seconds", "nats.spool_seconds", "SECONDS", "age of what is given up; default: 86400")


def add_state(parser: argparse.ArgumentParser) -> None:
    """Add where what is learned is kept, and the choice not to keep it."""
    choice = parser.add_mutually_exclusive_group()
    add_state_folder(choice)
    choice.add_argument(
        "--no-state", dest="state", action="store_false", help="begin with nothing learned, and keep nothing"
    )


def add_state_folder(parser: Group) -> None:
    """Add where what is learned is kept."""
    _add(
        parser,
        "--state-dir",
        "state_dir",
        "DIR",
        f"folder that keeps what is learned; default: {SYSTEM} as root, else ~/.local/state/pyloader",
    )


def add_instance(parser: argparse.ArgumentParser) -> None:
    """Add the name under which monitors are pinned and read."""
    parser.add_argument(
        "--instance",
        type=of("instance"),
        metavar="NAME",
        help="a name for a second sensor beside the first; default: default",
    )


def add_ring_bytes(parser: argparse.ArgumentParser) -> None:
    """Add the size of the rings."""
    parser.add_argument(
        "--ring-bytes",
        type=of("ring_bytes"),
        metavar="BYTES",
        help=f"size of each ring, a power of two from 65536; default: {RING_BYTES}",
    )


def add_btf(parser: argparse.ArgumentParser) -> None:
    """Add the description of the kernel's types for a kernel that does not give one."""
    parser.add_argument(
        "--btf", type=Path, metavar="FILE", help="BTF of this very kernel, for one without /sys/kernel/btf/vmlinux"
    )


def _add(parser: Group, flag: str, key: str, metavar: str, text: str) -> None:
    """Add an option that gives a key its value."""
    parser.add_argument(flag, dest=key, type=of(key), metavar=metavar, help=text)


def of(key: str) -> Callable[[str], object]:
    """Return what parses the value of a key, with the words of its checks."""

    def parse(text: str) -> object:
        value = KEYS[key].plain(text)
        try:
            KEYS[key].decode(value)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return value

    return parse


def _address(text: str) -> str:
    """Parse addresses. What stands on a command line is shown to everybody, so that there is no place for secrets."""
    if "@" in text:
        message = (
            "everybody sees the command line: name a user with --nats-user, and files with --nats-password-file"
            " or --nats-token-file"
        )
        raise argparse.ArgumentTypeError(message)
    return text


def flags(arguments: argparse.Namespace) -> dict[str, object]:
    """Return what the command line says about settings, by key."""
    return {key: value for key, value in vars(arguments).items() if key in KEYS}


def configuration(arguments: argparse.Namespace) -> Configuration:
    """Return the settings in force, and where each comes from. Raises `ConfigError`."""
    environment, uid = user()
    return config.load(flags(arguments), environment, uid, getattr(arguments, "config", None))


def settings(arguments: argparse.Namespace) -> Settings:
    """Return the settings in force, and tell of variables that look like settings. Raises `ConfigError`."""
    found = configuration(arguments)
    warn(found)
    return found.settings


def user() -> tuple[Mapping[str, str], int]:
    """Return the environment and the user, by which settings are found."""
    return os.environ, os.geteuid()


def warn(found: Configuration) -> None:
    """Tell of variables that look like settings and are none."""
    for name in found.unknown:
        say(f"{name} is set, and is no setting of pyloader")


def say(text: str) -> None:
    """Tell the user something that is no output of the command."""
    sys.stderr.write(f"pyloader: {text}\n")
    sys.stderr.flush()


def add_monitors(parser: argparse.ArgumentParser) -> None:
    """Add the choice of monitors as words."""
    parser.add_argument(
        "names",
        nargs="*",
        type=_monitor,
        default=[],
        metavar="MONITOR",
        help=f"of: {', '.join(MONITORS)}; default: all",
    )


def chosen(options: argparse.Namespace) -> list[Monitor]:
    """Return the monitors that were chosen, or all."""
    return [MONITORS[name] for name in options.names or MONITORS]


def sink(output: OutputSettings) -> Sink:
    """Return the sink that is asked for, on standard output."""
    if output.format == "json":
        return JsonSink(sys.stdout.buffer, events=output.events)
    return TextSink(sys.stdout, sys.stderr, events=output.events)


def _monitor(text: str) -> str:
    """Parse the name of a monitor that needs no interface."""
    try:
        checks.monitor(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text
