"""Connecting to a real server, and what is said when that fails."""

import asyncio
import logging
import subprocess
import traceback
from collections.abc import Callable
from pathlib import Path

import nkeys
import pytest
from msgspec.structs import replace

from pyloader.config import NatsSettings
from pyloader.errors import NatsError, NatsRefusedError, NatsUnreachableError
from pyloader.nats import Publisher
from pyloader.nats.client import connect
from tests.nats.server import NatsServer
from tests.unit.examples import HEADER

SECRET = "correct-horse"  # noqa: S105 -- the password of a server that the test makes.


def _reached(settings: NatsSettings) -> bool:
    """Connect, and return whether a message comes back."""

    async def trial() -> bool:
        client = await connect(settings)
        try:
            inbox = client.new_inbox()
            answers = await client.subscribe(inbox)
            await client.publish(inbox, b"x")
            message = await answers.next_msg(timeout=10)
            return bool(message.data == b"x")
        finally:
            await client.close()

    return asyncio.run(trial())


def _file(path: Path, text: str | bytes | bytearray) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(0o600)
    return path


def _seed(number: int) -> nkeys.KeyPair:
    seed: bytes = nkeys.encode_seed(bytes([number]) * 32, nkeys.PREFIX_BYTE_USER)
    return nkeys.from_seed(bytearray(seed))


@pytest.fixture(name="server_with")
def _server_with(tmp_path: Path) -> "Callable[[str], NatsServer]":
    folder = tmp_path / "server"
    folder.mkdir()
    made: list[NatsServer] = []

    def make(more: str) -> NatsServer:
        made.append(NatsServer(folder, more=more, jetstream=False))
        return made[-1]

    return make


def test_open_server(nats_server: NatsServer) -> None:
    """A server that asks for nothing is reached by its bare address, behind one that is away as well."""
    assert _reached(NatsSettings(url=f"127.0.0.1:{nats_server.port}"))
    assert _reached(NatsSettings(url=f"nats://127.0.0.1:1,{nats_server.url}"))


def test_nobody_there() -> None:
    """Where no server is, the error names the address and what to do."""
    with pytest.raises(
        NatsUnreachableError, match=r"no answer from nats://127\.0\.0\.1:1:.*is a NATS server running there"
    ):
        _reached(NatsSettings(url="nats://127.0.0.1:1"))


def test_password(server_with: Callable[[str], NatsServer], tmp_path: Path) -> None:
    """A right password, from a file or the address, is accepted; a wrong one is an error that does not quote it."""
    with server_with(f'authorization {{ user: "sensor", password: "{SECRET}" }}') as server:
        right = _file(tmp_path / "right", f"{SECRET}\n")
        wrong = _file(tmp_path / "wrong", "battery-staple\n")

        assert _reached(NatsSettings(url=server.url, user="sensor", password_file=right))
        assert _reached(NatsSettings(url=f"nats://sensor:{SECRET}@127.0.0.1:{server.port}"))
        with pytest.raises(NatsRefusedError, match="check the credentials") as caught:
            _reached(NatsSettings(url=server.url, user="sensor", password_file=wrong))
        assert "battery" not in str(caught.value)
        with pytest.raises(NatsRefusedError) as caught:
            _reached(NatsSettings(url=f"nats://sensor:battery-staple@127.0.0.1:{server.port}"))
        assert "battery" not in str(caught.value)
        with pytest.raises(NatsRefusedError):
            _reached(NatsSettings(url=server.url))


def test_secrets_are_never_said(
    server_with: Callable[[str], NatsServer], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither logs, down to the last detail, nor errors, with all that led to them, nor shown objects hold a secret."""
    wrong = "battery-staple"
    caplog.set_level(logging.DEBUG)
    with server_with(f'authorization {{ user: "sensor", password: "{SECRET}" }}') as server:
        said = []
        for settings in (
            NatsSettings(url=f"nats://sensor:{wrong}@127.0.0.1:{server.port}"),
            NatsSettings(url=server.url, user="sensor", password_file=_file(tmp_path / "wrong", wrong)),
            NatsSettings(url=f"nats://{wrong}@127.0.0.1:{server.port},nats://x:{wrong}@127.0.0.1:1"),
        ):
            publisher = Publisher(settings, HEADER)
            with pytest.raises(NatsRefusedError) as caught:
                publisher.start()
            said += traceback.format_exception(caught.value)
            said += [repr(publisher), repr(publisher.stats()), repr(settings)]

    assert wrong not in "".join(said)
    assert wrong not in caplog.text


def test_token(server_with: Callable[[str], NatsServer], tmp_path: Path) -> None:
    """A right token is accepted, and a wrong one is refused."""
    with server_with(f'authorization {{ token: "{SECRET}" }}') as server:
        assert _reached(NatsSettings(url=server.url, token_file=_file(tmp_path / "right", SECRET)))
        with pytest.raises(NatsRefusedError):
            _reached(NatsSettings(url=server.url, token_file=_file(tmp_path / "wrong", "x")))


def test_nkey(server_with: Callable[[str], NatsServer], tmp_path: Path) -> None:
    """The seed of a key that the server knows is accepted, and that of another is refused."""
    known = _seed(1)
    with server_with(f"authorization {{ users: [ {{ nkey: {known.public_key.decode()} }} ] }}") as server:
        assert _reached(NatsSettings(url=server.url, nkey=_file(tmp_path / "known", known.seed)))
        with pytest.raises(NatsRefusedError, match="check the credentials"):
            _reached(NatsSettings(url=server.url, nkey=_file(tmp_path / "other", _seed(2).seed)))


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def _certificate(folder: Path, name: str, *, ca: str | None = None) -> None:
    """Make a key and a certificate for 127.0.0.1, by an authority or by itself."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    by: list[str | Path] = ["-CA", folder / f"{ca}.pem", "-CAkey", folder / f"{ca}.key"] if ca is not None else []
    _openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"),
        *("-subj", f"/CN={name}", "-keyout", key, "-out", certificate),
        *("-addext", "subjectAltName=IP:127.0.0.1"),
        *(["-addext", "basicConstraints=critical,CA:FALSE"] if by else []),
        *by,
    )
    key.chmod(0o600)


def test_tls(server_with: Callable[[str], NatsServer], tmp_path: Path) -> None:
    """A server is trusted by its authority only, and trusts those who show a certificate of its own authority."""
    _certificate(tmp_path, "ca")
    for name in ("server", "client"):
        _certificate(tmp_path, name, ca="ca")
    files = f'cert_file: "{tmp_path}/server.pem", key_file: "{tmp_path}/server.key", ca_file: "{tmp_path}/ca.pem"'
    ours = NatsSettings(tls_certificate=tmp_path / "client.pem", tls_key=tmp_path / "client.key")
    with server_with(f"tls {{ {files}, verify: true }}") as server:
        url = f"tls://127.0.0.1:{server.port}"

        assert _reached(replace(ours, url=url, tls_ca=tmp_path / "ca.pem"))
        with pytest.raises(NatsRefusedError, match=r"certificate of tls://127\.0\.0\.1:\d+ is not trusted.*tls_ca"):
            _reached(replace(ours, url=url))
        with pytest.raises(NatsError, match="tls_certificate"):
            _reached(NatsSettings(url=url, tls_ca=tmp_path / "ca.pem"))


def test_no_tls(server_with: Callable[[str], NatsServer], tmp_path: Path) -> None:
    """Where TLS was asked for and the server speaks none, it gets no password."""
    password = _file(tmp_path / "password", SECRET)
    with server_with(f'authorization {{ user: "sensor", password: "{SECRET}" }}') as server:
        url = f"tls://127.0.0.1:{server.port}"

        with pytest.raises(NatsRefusedError, match=r"speaks no TLS.*nothing was sent"):
            _reached(NatsSettings(url=url, user="sensor", password_file=password))


def test_no_nats_server() -> None:
    """What listens and says nothing, or something else, is told from a NATS server within the time limit."""

    async def trial(greeting: bytes) -> str:
        async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(greeting)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(NatsUnreachableError) as caught:
                await connect(NatsSettings(url=f"127.0.0.1:{port}"))
            return str(caught.value)

    assert "does not answer as a NATS server" in asyncio.run(trial(b"SSH-2.0-OpenSSH\r\n"))
    assert "does not answer as a NATS server" in asyncio.run(trial(b"INFO {\r\n"))
    assert "127.0.0.1" in asyncio.run(trial(b""))
