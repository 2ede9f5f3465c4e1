"""The skeleton of a command line: what remains of it when everything that varies is only told by its class.

Options keep their names, numbers and values become classes, paths the place that they lie in, and of the plain words
only the first is kept, since it may be a sub-command: `git log -n 20 /srv/app` becomes `log -n 0 /srv`.

Most command lines differ from others by numbers alone. They are taken off first, which costs next to nothing; what
remains is looked up.
"""

from typing import Final

from pyloader.evidence.programs import names

WORDS: Final = 8
"""So many arguments make the skeleton."""

BYTES: Final = 256
"""So much of an argument vector is looked at."""

_DIGITS: Final = b"0123456789"
_LONGEST: Final = 24
_PLACES: Final = {
    place: f"/{place}"
    for place in names("bin boot dev etc home lib lib64 media mnt opt proc root run sbin srv sys tmp usr var")
}


def without_numbers(args: bytes) -> bytes:
    """Return the beginning of an argument vector in which every argument is closed by NUL, without its digits."""
    return args[:BYTES].translate(None, _DIGITS)


def skeleton(args: bytes) -> str:
    r"""Return the skeleton of an argument vector without numbers, less the name of the program.

    >>> skeleton(without_numbers(b"git\0log\0-n20\0/srv/app\0" + b"192.0.2.7\0" + b"7\0"))
    'log -n /srv … 0'
    """
    parts = []
    for word in args.removesuffix(b"\0").decode("utf-8", "replace").split("\0")[1 : WORDS + 1]:
        first = word[:1]
        if first == "-":
            parts.append(word.partition("=")[0][:_LONGEST])
        elif first == "/":
            parts.append(_PLACES.get(word[1:].partition("/")[0], "/other"))
        elif not first:
            parts.append("0")
        elif not parts and word.isalpha():
            parts.append(word[:_LONGEST])
        else:
            parts.append("…://" if "://" in word else "…")
    return " ".join(parts)
