"""Subjects from a template, as `pyloader.{host}.{domain}.{type}`.

A subject is a row of tokens with dots between them, in which `*` and `>` stand for others
(https://docs.nats.io/nats-concepts/subjects). The value of a field becomes one token, whatever it holds: what is
neither an ASCII letter, a digit, nor one of `_-~` is percent-encoded as in addresses of the web (RFC 3986), a dot as
well. So two values never become one token.
"""

import re
from hashlib import blake2b
from string import Formatter
from typing import Final, NoReturn
from urllib.parse import quote, unquote

from pyloader.errors import UsageError

FIELDS: Final = ("host", "domain", "type", "instance", "severity")

_LONGEST: Final = 128
"""Characters of a token at most, so that a subject is far from the 4,096 bytes of a line of the protocol."""

_LITERAL: Final = re.compile(r"[!-~]*")
_EMPTY: Final = "%"
"""Nothing is encoded as this."""


class Template:
    """The template of subjects. Raises `UsageError` if it cannot make any."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = [self._parse(token) for token in text.split(".")]
        if text.startswith(("$", "{")):
            self._refuse("it is to begin with a word, so that it meets no subject of others")

    def subject(self, **values: str) -> str:
        """Return the subject for values of all fields, of which the template may use only some."""
        return ".".join(
            "".join(part + (token(values[name]) if name else "") for part, name in parts) for parts in self._tokens
        )

    def pattern(self, **values: str) -> str:
        """Return the subject for these values and any of the other fields, to subscribe to."""
        return ".".join(
            "".join(part + (token(values[name]) if name else "") for part, name in parts)
            if all(not name or name in values for _, name in parts)
            else "*"
            for parts in self._tokens
        )

    def field(self, name: str, subject: str) -> str | None:
        """Return what a field had become in a subject; `None` if the template does not show it by itself."""
        tokens = subject.split(".")
        for parts, one in zip(self._tokens, tokens, strict=False):
            if [part for part in parts if part != ("", "")] == [("", name)]:
                return "" if one == _EMPTY else unquote(one)
        return None

    def _parse(self, text: str) -> list[tuple[str, str]]:
        """Return a token as literal text, each with the field that follows it, or with none."""
        try:
            parsed = list(Formatter().parse(text))
        except ValueError:
            self._refuse("a brace has no counterpart")
        if not text:
            self._refuse("between two dots, and at both ends, there is to be something")
        for literal, name, form, conversion in parsed:
            if not _LITERAL.fullmatch(literal) or set(literal) & set("*>{}"):
                self._refuse("it is to hold neither blanks nor the wildcards * and >, and only ASCII")
            if name is not None and (name not in FIELDS or form or conversion):
                self._refuse(f"its fields are {', '.join(f'{{{field}}}' for field in FIELDS)}")
        return [(literal, name or "") for literal, name, _, _ in parsed]

    def _refuse(self, why: str) -> NoReturn:
        message = f"{self.text!r} is no template of subjects: {why}"
        raise UsageError(message)


def token(value: str) -> str:
    """Return one token of a subject for any text; what is too long ends in a digest of itself."""
    safe = quote(value.encode("utf-8", "surrogatepass"), safe="").replace(".", "%2E") or _EMPTY
    if len(safe) >= _LONGEST:
        digest = blake2b(safe.encode(), digest_size=16).hexdigest()
        return f"{safe[: _LONGEST - len(digest) - 1]}~{digest}"
    return safe


def covers(pattern: str, subject: str) -> bool:
    """Return whether everything that a subject or pattern stands for falls under another pattern."""
    wide, narrow = pattern.split("."), subject.split(".")
    for at, one in enumerate(wide):
        if one == ">":
            return at < len(narrow)
        if at >= len(narrow) or narrow[at] == ">" or (one not in ("*", narrow[at])):
            return False
    return len(wide) == len(narrow)
