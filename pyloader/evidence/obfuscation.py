"""Code that hides what it says: letters as escapes, quotes inside words, long encoded blobs."""

from typing import Final

from pyloader.evidence.catalogue import ENCODED_ARGUMENT, SCRAMBLED_CODE, Finding
from pyloader.evidence.pattern import pattern

BLOB: Final = 120
"""How many characters without a pause make an encoded blob."""

_ESCAPES = pattern(r"(?:\\x[0-9a-fA-F]{2}|\\[0-7]{3}|\\u[0-9a-fA-F]{4}|%[0-9a-fA-F]{2}|chr\(\d+\)[.+,]?){8}")
_SPLIT_WORD = pattern(
    r"""\w(?:''|"")\w+(?:''|"")\w"""  # wh''oa''mi
    r"""|\b\w['"]\w['"]\w['"]\w['"]"""  # w'h'o'a'mi
    r"""|\$\{IFS\}[\w$/.~-]|\$IFS[$/.~-]"""  # cat${IFS}/etc/passwd
    r"""|\$\{[A-Za-z_]\w*:\d+:1\}.*\$\{[A-Za-z_]\w*:\d+:1\}"""  # ${PATH:0:1} for a slash
    r"""|\$@\w+\$@|\$'\\x|\w\$@\w"""
)
_QUOTED = pattern(r"""'[^']*'|"(?:\\.|[^"\\])*"|\$'(?:\\.|[^'\\])*'""")
_ESCAPED_LETTERS = pattern(r"(?<![\w\\])[a-z/]*[a-z](?:\\[a-z]){2,}|[a-z]\\[a-z]+\\[a-z]")
"""Letters that need no backslash, outside quotes: for example `w\\ho\\am\\i`."""

_SPLITTERS: Final = ("'", '""', "\\", "${", "$@", "IFS")
_BLOB = pattern(rf"[A-Za-z0-9+/_-]{{{BLOB},}}={{0,2}}")
_MIXED: Final = (pattern(r"[a-z]"), pattern(r"[A-Z]"), pattern(r"\d"))


def judge_wording(code: str, *, of_shell: bool = False) -> tuple[Finding, ...]:
    """Return what the wording of code says, whatever the code does; `of_shell` if a shell reads it."""
    if ("\\" in code or "%" in code or "chr(" in code) and _ESCAPES.search(code):
        return (Finding(SCRAMBLED_CODE, code),)
    if any(mark in code for mark in _SPLITTERS) and _SPLIT_WORD.search(code):
        return (Finding(SCRAMBLED_CODE, code),)
    if of_shell and "\\" in code and _ESCAPED_LETTERS.search(_QUOTED.sub("", code)):
        return (Finding(SCRAMBLED_CODE, code),)
    if len(code) > BLOB:
        blob = _BLOB.search(code)
        if blob is not None and all(kind.search(blob[0]) for kind in _MIXED):
            return (Finding(ENCODED_ARGUMENT, blob[0]),)
    return ()
