"""What a command does with its standard streams: what it reads as code, decodes, or takes from the network."""

import re
from typing import Final

from pyloader.evidence.pattern import pattern
from pyloader.evidence.programs import ROLES, Role, base_name, plain_name
from pyloader.evidence.shell import Argv

_STDIN: Final = frozenset({"-", "/dev/stdin", "/proc/self/fd/0", "/dev/fd/0"})
_HARMLESS: Final = frozenset({"--", "--posix", "--norc", "--noprofile", "--login", "--interactive"})

DECODES: Final = pattern(
    r"b(?:ase)?64_?decode|b64decode|decode_base64|decode64|unhexlify|fromhex|hex2bin|gzinflate|zlib\.decompress|a85decode"
    r"|b85decode|Buffer\.from\([^)]*(?:base64|hex)|\batob\(|str_rot13|marshal\.loads|rot13|unpack\s*\(?\s*.[HmN]"
)
"""How code of a scripting language turns text into what it encodes."""


def roles_of(argv: Argv) -> int:
    """Return the roles of the program that a command names."""
    return ROLES.get(plain_name(base_name(argv[0])), 0) if argv else 0


def reads_commands(argv: Argv, roles: int) -> bool:
    """Whether a shell or an interpreter with these arguments takes its code from standard input."""
    if not roles & (Role.SHELL | Role.INTERPRETER):
        return False
    shell = roles & Role.SHELL
    for word in argv[1:]:
        if word in _STDIN or (shell and re.match(r"-[a-zA-Z]*s", word)):
            return True
        if word[:1] not in ("-", "+") or (word[:2] == "--" and word not in _HARMLESS):
            return False
        if word[:2] != "--" and any(letter in word for letter in ("c" if shell else "cemrEnpfhVv")):
            return False
    return True


def decodes(argv: Argv) -> bool:
    """Whether a command turns encoded or encrypted text back into what it was."""
    name = plain_name(base_name(argv[0]))
    options = argv[1:]
    if name in ("base64", "base32", "basenc", "base58"):
        return any(word in ("--decode", "-D") or re.match(r"-[a-z]*d", word) for word in options)
    if name == "xxd":
        return any(re.match(r"-[a-z]*r", word) for word in options)
    if name in ("openssl", "gpg"):
        return "-d" in options or "--decrypt" in options
    if roles_of(argv) & Role.INTERPRETER:
        return any(DECODES.search(word) for word in options)
    written = _WRITTEN_CODES.get(name)
    if written is not None:
        return any(written.search(word) for word in options)
    return name in ("rev", "uudecode", "b64decode")


_ESCAPED = pattern(r"(?:\\x[0-9a-fA-F]{2}|\\0?[0-7]{3}){4}")
_ROTATED = pattern(r"[A-Z]-[A-Z]?[A-Z]-?[a-z]|[a-z]-z[a-z]-[a-z]|N-ZA-M|n-za-m|!-~")
"""Letters that are replaced by others: `tr A-Za-z N-ZA-Mn-za-m`."""

_WRITTEN_CODES: Final = {"printf": _ESCAPED, "echo": _ESCAPED, "tr": _ROTATED}

_UNDOES: Final = {
    **dict.fromkeys(("base64", "base32", "basenc", "base58", "ascii85", "basez"), pattern(r"-d|--decode|-D")),
    **dict.fromkeys(
        ("gzip", "bzip2", "xz", "zstd", "lz4", "lzop", "lzma"), pattern(r"-\w*d\w*|--decompress|--uncompress")
    ),
    "xxd": pattern(r"-\w*r\w*"),
    "openssl": pattern("-d"),
}
"""Options with which an encoder decodes."""


def undoes(argv: Argv, before: Argv) -> bool:
    """Whether a command decodes, from its standard input, the file that the command before it has just encoded."""
    if not argv or not before:
        return False
    name, encoder = base_name(argv[0]), base_name(before[0])
    if not any(not word.startswith("-") for word in before[1:]):
        return False
    if name == encoder and (option := _UNDOES.get(name)) is not None:
        decoded, encoded = (any(option.fullmatch(word) for word in words[1:]) for words in (argv, before))
        return decoded and not encoded
    if name in ("tar", "bsdtar"):
        return encoder in ("tar", "pax", "bsdtar") and any(_TO_OUTPUT.fullmatch(word) for word in argv[1:])
    if name in ("7z", "7za", "7zr"):
        return encoder == name and "-so" in argv and "-so" in before
    return (name == "uudecode" and encoder == "uuencode") or (name == encoder == "rev" and len(argv) == 1)


_TO_OUTPUT = pattern(r"-?x\w*O\w*|--to-stdout")


def downloads(argv: Argv) -> bool:
    """Whether a command fetches what an address names."""
    return bool(roles_of(argv) & Role.DOWNLOADER)


def relays(argv: Argv) -> bool:
    """Whether a command joins its streams to a connection."""
    if roles_of(argv) & Role.RELAY:
        return True
    return base_name(argv[0]) == "openssl" and argv[1:2] in (("s_client",), ("s_server",))
