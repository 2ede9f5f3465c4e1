"""Text that an attacker chose, made harmless.

Names and arguments of processes may hold any byte: line breaks that forge a line, escape sequences that drive a
terminal, direction marks that turn a line around, bytes that are no UTF-8.
"""

import unicodedata

_UNSAFE_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def printable(text: str) -> str:
    """Return the text on one line, with everything that is not plainly visible as a backslash escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(char) if unicodedata.category(char) in _UNSAFE_CATEGORIES else char for char in text)


def one_word(text: str) -> str:
    """Return the text as `printable` does, with white space escaped as well: it cannot pass for the next field."""
    return "".join(_escaped(char) if char.isspace() else char for char in printable(text))


def encodable(text: str) -> str:
    """Return the text with bytes that are not UTF-8 as backslash escapes, so that it can be encoded as UTF-8."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _escaped(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # noqa: PLR2004 -- how surrogateescape keeps the bytes 0x80 to 0xff.
        return f"\\x{code - 0xDC00:02x}"
    return "\\x20" if char == " " else char.encode("unicode_escape").decode()
