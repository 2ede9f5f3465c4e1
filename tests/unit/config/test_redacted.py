"""Addresses without secrets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.config import redacted


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("", ""),
        ("nats://one:4222", "nats://one:4222"),
        ("nats://me:secret@one:4222", "nats://***@one:4222"),
        ("tls://token@one", "tls://***@one"),
        ("me:secret@one", "***@one"),
        ("nats://me:sec/ret@one", "nats://***@one"),
        ("nats://me:tls://@one", "nats://***@one"),
        ("nats://one,nats://me:secret@two, tls://token@three", "nats://one,nats://***@two, tls://***@three"),
    ],
)
def test_redacted(address: str, shown: str) -> None:
    """What stands before a host is replaced, and the host stays."""
    assert redacted(address) == shown


@given(st.text(), st.text(min_size=1))
def test_no_secret_is_shown(user: str, secret: str) -> None:
    """Whatever characters a secret has, nothing of it is left."""
    assert redacted(f"nats://{user}:{secret}|@host") == "nats://***@host"
