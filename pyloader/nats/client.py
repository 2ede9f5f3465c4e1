"""A connection to a NATS server, or a clear word on why there is none.

A connection is made once and not repaired: nats-py's own reconnecting keeps what was published in a memory of its own,
of which nobody can say afterwards what has arrived. Whoever needs a connection again calls `connect` again.

nats-py is imported when the first connection is made, so that everything else works without it.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from pyloader.config import NatsSettings
from pyloader.errors import NatsError, NatsRefusedError, NatsUnreachableError, UsageError
from pyloader.nats import credentials
from pyloader.nats.servers import Server, servers

if TYPE_CHECKING:
    from nats.aio.client import Client

_LOG: Final = logging.getLogger(__name__)

TIMEOUT: Final = 5.0
"""Seconds that one server has to answer."""

_FAREWELL: Final = 1.0
"""Seconds that closing may take."""

_PING_INTERVAL: Final = 20
"""Seconds between two questions whether the server is still there; two without an answer end the connection."""

_CERTIFIED: Final = "pyloader_certified"
"""An option of ours: whether the client has a certificate to show."""

_NO_TLS: Final = "speaks no TLS, which was asked for; nothing was sent to it"
# It would just end the connection.
_NO_CERTIFICATE: Final = "wants to see a certificate: name one by tls_certificate and tls_key"

_ENDS: Final = ("unexpected EOF", "stale connection", "connection closed")
"""What nats-py says when a connection ends, before it says that it has."""

_REFUSALS: Final = ("authorization", "authentication", "expired", "revoked", "nkey", "account", "jwt")


def check(settings: NatsSettings) -> tuple[Server, ...]:
    """Return the servers of settings. Raises `UsageError` if the settings make no sense, without asking any server."""
    found = servers(settings.url)
    if not found:
        message = "no NATS server is named: give an address such as nats://localhost:4222"
        raise UsageError(message)
    credentials.check(settings)
    if any(one.user or one.token for one in found) and credentials.read(settings) != credentials.Credentials():
        message = "a client of NATS is one only: choose between what stands in the address and the files"
        raise UsageError(message)
    return found


async def connect(
    settings: NatsSettings,
    *,
    name: str = "pyloader",
    on_error: Callable[[str], object] = lambda _: None,
    on_closed: Callable[[], object] = lambda: None,
) -> "Client":
    """Return a connection to the first server that takes us.

    `on_error` is told what the server refuses later, such as a subject, and `on_closed` is called when the connection
    has ended, for whatever reason; both in the event loop.

    Raises `UsageError` for settings that make no sense, `NatsRefusedError` if a server answers and the credentials or
    the certificates are wrong, `NatsUnreachableError` if none answers, and `NatsError` for everything else.
    """
    made = _library()
    found = check(settings)
    context = credentials.tls(settings)
    given = credentials.read(settings)
    refused: NatsError | None = None
    failed: list[str] = []
    for server in found:
        try:
            client = made()
            client.options[_CERTIFIED] = settings.tls_certificate is not None
            await _connect(client, server, given, context, name, on_error, on_closed)
        except NatsRefusedError as error:
            refused = refused or error
        except NatsUnreachableError as error:
            failed.append(str(error))
        else:
            return client
    if refused is not None:
        raise refused
    raise NatsUnreachableError("; ".join(failed))


def _library() -> "type[Client]":
    """Return nats-py's client, with one change: it says who we are only where TLS is as it should be."""
    try:
        from nats.aio.client import Client  # noqa: PLC0415 -- it is imported when it is used.
    except ImportError as error:
        message = "NATS needs the package nats-py: pip install 'pyloader-ebpf[nats]'"
        raise NatsError(message) from error
    # Where the host program has configured no logging, nothing of it goes to standard error.
    logging.getLogger("nats").addHandler(logging.NullHandler())

    class Careful(Client):
        """Only the server says whether TLS is spoken; whoever is between could say no, and would get the password."""

        def _connect_command(self) -> bytes:
            context = self.options.get("tls")
            if context is not None and not self._server_info.get("tls_required", False):
                raise _DistrustError(_NO_TLS)
            if self._server_info.get("tls_verify", False) and not self.options.get(_CERTIFIED, False):
                raise _DistrustError(_NO_CERTIFICATE)
            command: bytes = super()._connect_command()
            return command

    return Careful


class _DistrustError(Exception):
    """What the server says of itself does not go with our settings."""


async def _connect(  # noqa: PLR0917 -- each is one thing.
    client: "Client",
    server: Server,
    given: credentials.Credentials,
    context: ssl.SSLContext | None,
    name: str,
    on_error: Callable[[str], object],
    on_closed: Callable[[], object],
) -> None:
    """Connect to one server."""
    reasons: list[Exception] = []
    is_connected = False

    async def note(error: Exception) -> None:
        if not is_connected:
            reasons.append(error)
        elif not isinstance(error, OSError) and _text(error) not in _ENDS:
            on_error(_text(error))

    async def closed() -> None:
        if is_connected:
            on_closed()

    options = _identity(server, given)
    if context is not None or server.address.startswith("tls:"):
        options["tls"] = context or ssl.create_default_context()
    try:
        async with asyncio.timeout(TIMEOUT):
            await client.connect(
                servers=[server.address],
                name=name,
                allow_reconnect=False,
                connect_timeout=int(TIMEOUT),
                # A second attempt of nats-py's own is made at once; without this number it would try for ever.
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                ping_interval=_PING_INTERVAL,
                error_cb=note,
                closed_cb=closed,
                **options,
            )
    except asyncio.CancelledError:
        await end(client)
        raise
    except Exception as error:  # noqa: BLE001 -- nats-py, ssl and the network have many.
        await end(client)
        raise _explained(server, reasons[-1] if reasons and _is_empty(error) else error) from None
    is_connected = True


def _identity(server: Server, given: credentials.Credentials) -> dict[str, Any]:
    """Return the options by which nats-py identifies us."""
    if given.seed and given.jwt:
        return {"user_jwt_cb": lambda: bytearray(given.jwt), "signature_cb": given.sign}
    if given.seed:
        return {"nkeys_seed_str": given.seed.decode()}
    user, password = server.user or given.user, server.password or given.password
    if user:
        return {"user": user, "password": password}
    token = server.token or given.token
    return {"token": token} if token else {}


async def end(client: "Client") -> None:
    """Close a connection, and cut it off if that takes too long. Never raises."""
    try:
        async with asyncio.timeout(_FAREWELL):
            await client.close()
    except Exception:  # noqa: BLE001 -- it is over, however it ends.
        _LOG.debug("a connection to NATS did not close", exc_info=True)
    # Closing waits for what the other side has not read. nats-py has no name for cutting off.
    writer = getattr(getattr(client, "_transport", None), "_io_writer", None)
    if writer is not None:
        writer.transport.abort()


def _is_empty(error: Exception) -> bool:
    return "no servers available" in str(error) or isinstance(error, TimeoutError)


def _explained(server: Server, error: Exception) -> NatsError:
    """Return what to say of a failure to connect."""
    where = server.address
    text = _text(error)
    if isinstance(error, _DistrustError):
        return NatsRefusedError(f"{where} {error}")
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message or text
        return NatsRefusedError(f"the certificate of {where} is not trusted: {why}; name its authority by tls_ca")
    if isinstance(error, ssl.SSLError):
        why = (error.reason or text).lower().replace("_", " ")
        return NatsRefusedError(
            f"{where} does not speak TLS with us: {why}; it may want a certificate, by tls_certificate and tls_key"
        )
    if any(word in text.lower() for word in _REFUSALS):
        return NatsRefusedError(f"{where} does not accept who we are ({text}); check the credentials")
    if isinstance(error, OSError | TimeoutError):
        return NatsUnreachableError(f"no answer from {where}: {text}; is a NATS server running there?")
    return NatsUnreachableError(f"{where} does not answer as a NATS server: {text}")


def _text(error: Exception) -> str:
    """Return the text of an error without ornament."""
    if isinstance(error, TimeoutError):
        return "it takes too long"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).removeprefix("nats: ").strip("'\" ") or type(error).__name__
