"""What is said before any server is asked, and what is never said."""

import asyncio
import logging
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pyloader.config import NatsSettings, redacted
from pyloader.errors import NatsError, UsageError
from pyloader.nats import credentials
from pyloader.nats.client import check, connect
from pyloader.nats.servers import holds_secret, servers

SECRET = "correct-horse"  # noqa: S105 -- it stands for one.


def _file(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_addresses() -> None:
    """Addresses may lack scheme and port, stand in a row, and hold who we are."""
    first, second, third = servers("one, tls://two:1 ,nats://a%40b:c%2Cd@[::1]")

    assert [one.address for one in (first, second, third)] == [
        "nats://one:4222",
        "tls://two:1",
        "nats://[::1]:4222",
    ]
    assert (third.user, third.password, servers("nats://t@one")[0].token) == ("a@b", "c,d", "t")


@pytest.mark.parametrize(
    "url", ["http://one", "nats://", "one:port", "nats://one/x", "one:99999", "a b", "nats://u:p,q"]
)
def test_bad_addresses(url: str) -> None:
    """What is no address is refused with an example of one."""
    with pytest.raises(UsageError, match="nats://host:4222"):
        servers(url)


@given(st.text(max_size=30), st.sampled_from(["", ",two", ",x:y"]))
def test_secrets_are_hidden(password: str, others: str) -> None:
    """No secret of an address is shown: neither in its redacted form, nor by an error, nor by the settings."""
    secret = f"Q{password}Q"
    url = f"nats://sensor:{secret}@one{others}"
    shown = [redacted(url), repr(NatsSettings(url=url))]
    try:
        shown.append(repr(servers(url)))
    except UsageError as error:
        shown.append(str(error))

    assert holds_secret(url)
    assert [text for text in shown if secret in text or "sensor" in text] == []
    assert redacted("nats://one,two") == "nats://one,two"


@pytest.mark.parametrize(
    "settings",
    [
        NatsSettings(),
        NatsSettings(url="one", user="x"),
        NatsSettings(url="one", password_file=Path("x")),
        NatsSettings(url="one", nkey=Path("x"), credentials=Path("y")),
        NatsSettings(url="one", tls_key=Path("x")),
    ],
)
def test_settings_that_make_no_sense(settings: NatsSettings) -> None:
    """Half of a pair, or two ways to say who we are, is a wrong use, found before any server is asked."""
    with pytest.raises(UsageError):
        check(settings)


def test_who_we_are_is_said_once(tmp_path: Path) -> None:
    """An address with a password goes with no file that has another."""
    token = _file(tmp_path / "token", SECRET)

    with pytest.raises(UsageError, match="one only") as caught:
        check(NatsSettings(url=f"nats://u:{SECRET}@one", token_file=token))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("kind", ["credentials", "nkey", "token_file"])
def test_files_that_hold_no_secret(kind: str, tmp_path: Path) -> None:
    """A file that is missing, empty, too long or of another kind is named, and not quoted."""
    contents = {"empty": " \n", "long": SECRET * 10_000}
    if kind != "token_file":
        contents |= {"other": SECRET, "seed": f"SU{SECRET}"}
    for path in [tmp_path / "missing", *(_file(tmp_path / name, text) for name, text in contents.items())]:
        with pytest.raises(NatsError, match=str(path)) as caught:
            credentials.read(replace(NatsSettings(), **{kind: path}))
        assert SECRET not in str(caught.value)


def test_secrets_have_no_form(tmp_path: Path) -> None:
    """What was read is not shown by repr."""
    given_ = credentials.read(NatsSettings(token_file=_file(tmp_path / "token", SECRET)))

    assert given_.token == SECRET
    assert SECRET not in repr(given_)


def test_open_files_are_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A secret that everybody on the host can read is used, with a warning."""
    path = _file(tmp_path / "token", SECRET)
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        credentials.read(NatsSettings(token_file=path))

    assert "chmod o-rwx" in caplog.text
    assert SECRET not in caplog.text


def test_tls_files(tmp_path: Path) -> None:
    """A file that holds no certificate is named."""
    path = _file(tmp_path / "ca.pem", "x")

    with pytest.raises(NatsError, match=r"ca\.pem"):
        credentials.tls(NatsSettings(tls_ca=path))
    with pytest.raises(NatsError, match="missing"):
        credentials.tls(NatsSettings(tls_ca=tmp_path / "missing"))
    with pytest.raises(NatsError, match="tls_key"):
        credentials.tls(NatsSettings(tls_certificate=path, tls_key=path))
    assert credentials.tls(NatsSettings()) is None


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nats-py is missing, the error says how to install it."""
    monkeypatch.setitem(sys.modules, "nats.aio.client", None)

    with pytest.raises(NatsError, match=r"pip install 'pyloader-ebpf\[nats\]'"):
        asyncio.run(connect(NatsSettings(url="one")))
