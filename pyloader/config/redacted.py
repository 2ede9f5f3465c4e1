"""Addresses without the secrets in them."""

import re

_SCHEME = re.compile(r"""((?:^|[,'"])\s*[A-Za-z][A-Za-z0-9+.-]*://)""")


def redacted(text: str) -> str:
    """Return a text with *** for whoever stands before the host of an address: a user and password, or a token.

    >>> redacted("nats://me:secret@one:4222,tls://token@two")
    'nats://***@one:4222,tls://***@two'
    """
    # A secret may hold any of the characters that divide addresses, so all before the last @ is one.
    return "".join(f"***{part[part.rindex('@') :]}" if "@" in part else part for part in _SCHEME.split(text))
