"""Addresses of NATS servers, as `nats://host:4222`, `tls://host` or just `host`, with commas between them.

An address may hold a user and a password, or a token, before an `@`. Whoever shows addresses shows them `redacted`, for
a log has other readers than the file of the settings.
"""

import re
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

from pyloader.config import redacted
from pyloader.errors import UsageError

PORT: Final = 4222

_SCHEMES: Final = ("nats", "tls")
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+(%[A-Za-z0-9._-]+)?")


class Server(msgspec.Struct, frozen=True):
    """One server: its address without secrets, and the secrets."""

    address: str
    user: str = ""
    password: str = ""
    token: str = ""

    def __repr__(self) -> str:
        return f"Server({self.address!r})"


def servers(url: str) -> tuple[Server, ...]:
    """Return the servers in the order in which they stand. Raises `UsageError`, which quotes no secret."""
    return tuple(_server(part.strip(), url) for part in url.split(",") if part.strip())


def holds_secret(url: str) -> bool:
    """Return whether there is a user, password or token in it."""
    return "@" in url


def _server(part: str, url: str) -> Server:
    try:
        parsed = urlsplit(part if "://" in part else f"nats://{part}")
        host, port = parsed.hostname or "", parsed.port or PORT
    except ValueError:
        host, port = "", 0
    if not _HOST.fullmatch(host) or parsed.scheme not in _SCHEMES or parsed.path not in ("", "/") or parsed.query:
        message = f"{redacted(url)!r} is no address of NATS servers; it is to look like nats://host:4222 or tls://host"
        raise UsageError(message)
    address = f"{parsed.scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    user, password = unquote(parsed.username or ""), parsed.password
    if password is None:
        return Server(address, token=user)
    return Server(address, user=user, password=unquote(password))
