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
    return name in ("rev", "uudecode", "b64decode")


def downloads(argv: Argv) -> bool:
    """Whether a command fetches what an address names."""
    return bool(roles_of(argv) & Role.DOWNLOADER)


def relays(argv: Argv) -> bool:
    """Whether a command joins its streams to a connection."""
    if roles_of(argv) & Role.RELAY:
        return True
    return base_name(argv[0]) == "openssl" and argv[1:2] in (("s_client",), ("s_server",))
