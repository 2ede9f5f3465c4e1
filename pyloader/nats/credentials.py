"""As whom to connect: secrets from files, read anew for each connection so that they can be exchanged.

What a file holds stands in no message; what is wrong with it does.
"""

import base64
import logging
import os
import re
import ssl
import stat
from pathlib import Path
from typing import Final

import msgspec

from pyloader.config import NatsSettings
from pyloader.errors import NatsError, UsageError

_LOG: Final = logging.getLogger(__name__)

_LIMIT: Final = 65_536
_OTHERS: Final = stat.S_IRWXO

_JWT: Final = re.compile(rb"-----BEGIN NATS USER JWT-----\s+(\S+)\s+-+END NATS USER JWT-+")
_SEED: Final = re.compile(rb"-----BEGIN USER NKEY SEED-----\s+(\S+)\s+-+END USER NKEY SEED-+")


class Credentials(msgspec.Struct, frozen=True):
    """What identifies a client: of user and password, token, and a seed with or without a JWT, at most one."""

    user: str = ""
    password: str = ""
    token: str = ""
    jwt: bytes = b""
    seed: bytes = b""

    def __repr__(self) -> str:
        return "Credentials(…)"

    @property
    def public_key(self) -> str:
        """The public half of the seed."""
        import nkeys  # noqa: PLC0415 -- who publishes nothing has none.

        pair = nkeys.from_seed(bytearray(self.seed))
        public: bytes = pair.public_key
        pair.wipe()
        return public.decode()

    def sign(self, nonce: str) -> bytes:
        """Return the signature of what the server has made up, in base64."""
        import nkeys  # noqa: PLC0415 -- who publishes nothing has none.

        pair = nkeys.from_seed(bytearray(self.seed))
        signature = base64.b64encode(pair.sign(nonce.encode()))
        pair.wipe()
        return signature


def check(settings: NatsSettings) -> None:
    """Raise `UsageError` if the settings name more than one kind of credentials, or half of one."""
    kinds = {
        "credentials": settings.credentials,
        "nkey": settings.nkey,
        "token_file": settings.token_file,
        "user": settings.user,
    }
    given = [name for name, value in kinds.items() if value]
    if len(given) > 1:
        message = f"a client of NATS is one only: choose between {' and '.join(given)}"
        raise UsageError(message)
    if bool(settings.user) != (settings.password_file is not None):
        message = "a user of NATS has a password and a password a user: give both user and password_file"
        raise UsageError(message)
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        message = "a certificate for NATS goes with its key: give both tls_certificate and tls_key"
        raise UsageError(message)


def read(settings: NatsSettings) -> Credentials:
    """Return the credentials that the settings name. Raises `NatsError` if a file does not hold what it should."""
    if settings.credentials is not None:
        held = _contents(settings.credentials, "credentials")
        jwt, seed = _JWT.search(held), _SEED.search(held)
        if jwt is None or seed is None:
            message = (
                f"{settings.credentials} holds no credentials of a NATS user: a JWT and a seed, as nsc writes them"
            )
            raise NatsError(message)
        return _with_seed(Credentials(jwt=jwt[1], seed=seed[1]), settings.credentials)
    if settings.nkey is not None:
        held = _contents(settings.nkey, "nkey")
        found = _SEED.search(held)
        seed_alone = found[1] if found is not None else held.strip()
        return _with_seed(Credentials(seed=seed_alone), settings.nkey)
    if settings.token_file is not None:
        return Credentials(token=_line(settings.token_file, "token_file"))
    if settings.password_file is not None:
        return Credentials(user=settings.user, password=_line(settings.password_file, "password_file"))
    return Credentials()


def tls(settings: NatsSettings) -> ssl.SSLContext | None:
    """Return what TLS is to trust and to show, or `None` if the settings name nothing.

    Raises `NatsError` if a file is none of the kind.
    """
    if settings.tls_ca is None and settings.tls_certificate is None:
        return None
    context = ssl.create_default_context()
    try:
        if settings.tls_ca is not None:
            context = ssl.create_default_context(cafile=settings.tls_ca)
    except OSError as error:
        message = f"tls_ca {settings.tls_ca} cannot be used: {_reason(error)}"
        raise NatsError(message) from error
    if settings.tls_certificate is not None and settings.tls_key is not None:
        _warn_if_open(settings.tls_key, "tls_key")
        try:
            # Without a password OpenSSL would ask for one on the terminal.
            context.load_cert_chain(settings.tls_certificate, settings.tls_key, password="")
        except OSError as error:
            files = f"tls_certificate {settings.tls_certificate} with tls_key {settings.tls_key}"
            message = f"{files} cannot be used: {_reason(error)}"
            raise NatsError(message) from error
    return context


def _with_seed(credentials: Credentials, path: Path) -> Credentials:
    """Return credentials whose seed was tried."""
    try:
        credentials.public_key  # noqa: B018 -- that is the trial.
    except ImportError as error:
        message = "keys for NATS need the package nkeys: pip install 'pyloader-ebpf[nats]'"
        raise NatsError(message) from error
    except Exception:  # noqa: BLE001 -- nkeys and base64 have many, and their texts may quote the seed.
        message = f"{path} holds no seed of a NATS user (it begins with SU)"
        raise NatsError(message) from None
    return credentials


def _contents(path: Path, what: str) -> bytes:
    _warn_if_open(path, what)
    try:
        with path.open("rb") as file:
            held = file.read(_LIMIT + 1)
    except OSError as error:
        message = f"{what} {path} cannot be read: {error.strerror}"
        raise NatsError(message) from error
    if not held.strip() or len(held) > _LIMIT:
        message = f"{what} {path} is {'empty' if len(held) <= _LIMIT else 'far too long'}"
        raise NatsError(message)
    return held


def _line(path: Path, what: str) -> str:
    try:
        return _contents(path, what).decode().rstrip("\r\n")
    except UnicodeDecodeError:
        message = f"{what} {path} holds no text"
        raise NatsError(message) from None


def _warn_if_open(path: Path, what: str) -> None:
    """Warn of a secret that every user of this host can read."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 -- a descriptor of the shell is a path, too.
    except OSError:
        return
    if stat.S_ISREG(mode) and mode & _OTHERS:
        _LOG.warning("everybody on this host can read %s %s; forbid it with chmod o-rwx", what, path)


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "it is no PEM file").lower().replace("_", " ")
    return error.strerror or "it is no PEM file"
