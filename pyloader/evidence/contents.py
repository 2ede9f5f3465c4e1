"""What is written into files that decide who may do what, and what runs by itself.

That a line is added to such a file is ordinary administration. What the line says can be more than that: it hands
rights to whoever comes, or makes the host run something that was dropped or hides what it is. The text is known where
it is among the arguments: of `sed`, of an `echo` in code that is given with `-c`.
"""

import re
from typing import Final

from pyloader.evidence.catalogue import (
    ACCOUNT_FILE_WRITTEN,
    LOGIN_WEAKENED,
    PAYLOAD_PLANTED,
    POLICY_WRITTEN,
    RIGHTS_GIVEN_AWAY,
    ROOT_ACCOUNT,
    SCHEDULED,
    START_FILE_WRITTEN,
    Kind,
)
from pyloader.evidence.pattern import pattern

_TEMPORARY = r"(?:/tmp|/var/tmp|/dev/shm|/run/shm)/"
_GIVES_RIGHTS = pattern(r"NOPASSWD|!\W{0,4}authenticate|!\W{0,4}tty_tickets|timestamp_timeout\s*=\s*-")
_LETS_IN = pattern(
    rf"\b(?:auth|account)\W+(?:sufficient|optional|\[success=done[^\]]*\])\W+(?:\S*/)?pam_(?:permit|succeed_if|exec|script|python)"
    rf"|\b(?:auth|account|password|session)\W+\w+\W{{1,3}}{_TEMPORARY}|nullok_secure.*pam_permit"
)
_ROOT_LINE = pattern(r"\w+:[^:\s]*:0+:\d+:")
_JOB: Final = r"(?:(?:[\d*/,-]+\s+){5}|@\w+\s+)(?:\w+\s+)?"
_DROPPED = pattern(
    rf"{_JOB}(?:(?:/usr)?/bin/)?(?:\w*sh\s+(?:-\w+\s+)?)?{_TEMPORARY}"
    rf"|Exec(?:Start|Stop)\w*\s*=\s*[-@+!]*(?:\S*sh\s+(?:-\w+\s+)?\W?)?{_TEMPORARY}"
    rf"|(?:^|[\"'`;&|]|\becho\s+)\s*(?:(?:/usr)?/bin/)?(?:(?:ba|da|z)?sh\s+|nohup\s+|exec\s+|\.\s+|source\s+){_TEMPORARY}"
)
_HIDES = pattern(
    r"/dev/(?:tcp|udp)/\S|\bbase(?:64|32)\s+(?:-\w*d|--decode)|b64decode|decode_base64|frombase64|\b(?:nc|ncat|netcat)\b[^;|]*\s-\w*e\s"
    r"|\b(?:curl|wget)\b[^;|\n]*\|\s*(?:sudo\s+)?(?:\S*/)?(?:ba|da|z)?sh\b|\bsocat\b.*\bexec:|pty\.spawn|\bxxd\s+-r",
    re.IGNORECASE,
)
_HOOKS_IN = pattern(r"\.pth\b|(?:user|site)customize\.py")
_RUNS = pattern(
    r"\bos\.(?:system|popen|exec\w+|spawn\w+)|subprocess|\bexec\s*\(|\beval\s*\(|socket\.|__import__|ctypes"
)


def sharpened(kind: Kind, text: str) -> Kind:
    """Return what it means to write this text, where `kind` is what it means to write to that file at all."""
    if kind is POLICY_WRITTEN:
        if _GIVES_RIGHTS.search(text):
            return RIGHTS_GIVEN_AWAY
        return LOGIN_WEAKENED if _LETS_IN.search(text) else kind
    if kind is ACCOUNT_FILE_WRITTEN:
        return ROOT_ACCOUNT if _ROOT_LINE.search(text) else kind
    if kind in (START_FILE_WRITTEN, SCHEDULED):
        hooked = _HOOKS_IN.search(text) and _RUNS.search(text)
        return PAYLOAD_PLANTED if hooked or _DROPPED.search(text) or _HIDES.search(text) else kind
    return kind


def is_job_of_dropped_file(text: str) -> bool:
    """Whether this is a line for cron that runs a file out of a place for temporary files, wherever it is written."""
    found = _DROPPED.search(text)
    return found is not None and re.match(_JOB, found[0]) is not None
