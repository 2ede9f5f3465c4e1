"""What a command line says: options and operands, wrapped commands, and the pipelines of shell code.

The reader of shell code is no shell. It finds words, pipelines and redirections well enough to judge them, never fails,
and takes time in proportion to the code, of which it reads the first `CODE_LIMIT` characters.
"""

import re
from typing import Final

import msgspec

from pyloader.evidence.pattern import pattern
from pyloader.evidence.programs import Role, base_name, plain_name

CODE_LIMIT = 4_096
NESTING = 3
"""How deep substitutions in substitutions are followed."""

DEEPEST = 8
"""How many parentheses may be open; further ones are passed over."""

Argv = tuple[str, ...]

_TOKEN = pattern(
    r"""(?P<space>(?:[ \t\r]|\\\n)+|(?<!\S)\#[^\n]*)
      | (?P<begin>[$<>]?\((?!\()|`)
      | (?P<end>\)|&&|\|\||;;?|\n)
      | (?P<write>(?:\d+|&)?>>?(?!&)[|]?)
      | (?P<read>\d*<(?![<&])|<<<|<<-?)
      | (?P<duplicate>\d*[<>]&[-\w$]*)
      | (?P<pipe>\|&?)
      | (?P<background>&)
      | (?P<word>(?:[^\s|;&()`<>'"\\$]|\\.|'[^']*'|"(?:\\.|[^"\\])*"|\$(?!\()|['"\\])+)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_QUOTED = pattern(r"""'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)|(['"\\])""", re.DOTALL)
_SUBSTITUTION = pattern(r"\$\(((?:[^()]|\([^()]*\))*)\)|`([^`]*)`", re.DOTALL)
_ASSIGNMENT = pattern(r"[A-Za-z_]\w*\+?=")
_KEYWORDS: Final = frozenset(
    {"then", "do", "else", "elif", "if", "while", "until", "!", "{", "}", "exec", "command", "builtin"}
)
_OPTION_VALUE: Final = {
    # Short options that take the next word. They are those of the programs that run another one.
    "sudo": "CDghpRrTtuU",
    "doas": "uC",
    "pkexec": "",
    "su": "cgGsw",
    "runuser": "cgGsuw",
    "env": "uCS",
    "nice": "n",
    "timeout": "ks",
    "stdbuf": "ioe",
    "ionice": "cnpP",
    "flock": "Ewc",
    "strace": "aeEoOpPsSuIX",
    "ltrace": "aAeFlnopsux",
    "time": "fo",
    "xargs": "adEILnPs",
    "choom": "np",
    "chrt": "TPD",
    "taskset": "",
    "rlwrap": "abcCfgHlmMopPqrsStwz",
    "watch": "nq",
}
_LEADING_OPERANDS: Final = {"timeout": 1, "flock": 1, "taskset": 1, "chrt": 1, "logsave": 1, "faketime": 1, "runcon": 1}
"""How many words stand between the options of a wrapper and its command."""

_UNWRAPPED: Final = frozenset(_OPTION_VALUE) | {"nohup", "setsid", "exec", "eatmydata", "busybox", "toybox", "logsave"}


class Command(msgspec.Struct):
    """A simple command of shell code: its words without quotes, and the files that it writes and reads."""

    argv: Argv = ()
    assignments: Argv = ()
    writes: list[str] = []
    reads: list[str] = []
    substitutions: list["Pipeline"] = []
    """What stands in `$(…)`, backquotes and `<(…)` among the words."""


Pipeline = list[Command]

GROUP: Final = "(…)"
"""The word that stands for commands in parentheses; they are the substitutions of their command."""

_CLOSING: Final = frozenset({")", "`"})
_IGNORED: Final = frozenset({"space", "duplicate", "other"})


def pipelines(code: str, depth: int = 0) -> list[Pipeline]:
    """Return the pipelines of shell code, substitutions behind the pipeline that they are part of."""
    reader = _Reader(depth)
    for match in _TOKEN.finditer(code[:CODE_LIMIT]):
        reader.take(match.lastgroup or "", match[0])
    reader.close()
    return reader.found


class _Reader:
    """Builds pipelines from tokens. Parentheses nest; what they enclose belongs to the command around them."""

    def __init__(self, depth: int) -> None:
        self.found: list[Pipeline] = []
        self._depth = depth
        self._outer: list[tuple[Pipeline, Command, list[str]]] = []
        self._pipeline: Pipeline = []
        self._command = Command()
        self._words: list[str] = []
        self._redirect = ""
        self._glued = False

    def take(self, kind: str, token: str) -> None:
        glued, self._glued = self._glued, kind == "word" or token in _CLOSING
        if kind == "word":
            self._word(token, glued=glued)
        elif kind in _IGNORED:
            return
        elif kind in ("write", "read"):
            self._redirect = "heredoc" if token.startswith("<<") else kind
        elif kind == "begin" and not (token in _CLOSING and self._in_backquotes()):
            if len(self._outer) == DEEPEST:
                return
            opening = f"{token}+" if glued and self._words else token
            self._outer.append((self._pipeline, self._command, [*self._words, opening]))
            self._pipeline, self._command, self._words = [], Command(), []
        elif kind == "pipe":
            self._end_command()
        elif token in _CLOSING:
            self._leave()
        else:
            self._end_pipeline()

    def close(self) -> None:
        while self._outer:
            self._leave()
        self._end_pipeline()

    def _word(self, token: str, *, glued: bool) -> None:
        word = unquoted(token)
        if self._redirect == "write":
            self._command.writes.append(word)
        elif self._redirect == "read":
            self._command.reads.append(word)
        elif not self._redirect and glued and self._words:
            self._words[-1] += word
        elif not self._redirect:
            self._words.append(word)
        self._redirect = ""
        if self._depth < NESTING and ("$(" in token or "`" in token) and not token.startswith("'"):
            for inner in _SUBSTITUTION.finditer(token):
                found = pipelines(inner[1] or inner[2] or "", self._depth + 1)
                self._command.substitutions.extend(found)
                self.found.extend(found)

    def _in_backquotes(self) -> bool:
        return any(words[-1][0] == "`" for _, _, words in self._outer)

    def _leave(self) -> None:
        if not self._outer:
            self._end_pipeline()
            return
        before = len(self.found)
        self._end_pipeline()
        self._pipeline, self._command, words = self._outer.pop()
        opening = words.pop()
        self._words = words
        self._command.substitutions.extend(self.found[before:])
        if opening.endswith("+"):
            self._words[-1] += f"{opening[:-1]}…)"
        else:
            self._words.append(f"{opening}…)")
        self._redirect = ""

    def _end_command(self) -> None:
        words = self._words
        start = 0
        while start < len(words) and (words[start] in _KEYWORDS or _ASSIGNMENT.match(words[start])):
            start += 1
        command = self._command
        command.assignments = tuple(word for word in words[:start] if "=" in word)
        command.argv = tuple(words[start:])
        if words or command.writes or command.substitutions:
            self._pipeline.append(command)
        self._command, self._words, self._redirect = Command(), [], ""

    def _end_pipeline(self) -> None:
        self._end_command()
        if self._pipeline:
            self.found.append(self._pipeline)
        self._pipeline = []


def unquoted(token: str) -> str:
    """Return a word of shell code without its quotes; variables stay as they are."""
    if "'" not in token and '"' not in token and "\\" not in token:
        return token
    return _QUOTED.sub(lambda match: match[1] or match[2] or match[3] or "", token)


def shell_code(argv: Argv) -> str:
    """Return the code that a shell was given with `-c`, or an empty string."""
    position = 1
    for word in argv[1:6]:
        position += 1
        if word[:1] != "-":
            if word[:1] == "+":
                continue
            return ""
        if "c" in word and word[1:2] != "-":
            for code in argv[position:]:
                if code[:1] != "-":
                    return code
    return ""


def operands(argv: Argv) -> Argv:
    """Return the words behind the program that are no options; the values of options count as operands."""
    if "--" in argv:
        return argv[argv.index("--") + 1 :]
    return tuple(word for word in argv[1:] if not word.startswith("-"))


def is_interactive(argv: Argv, roles: int) -> bool:
    """Whether this is a bare shell: no script, and at most `-c` with nothing but a shell again."""
    if not roles & Role.SHELL:
        return False
    code = shell_code(argv)
    if code:
        words = code.removeprefix("exec ").split()
        return bool(words) and _is_bare_shell(tuple(words))
    return not operands(argv)


def _is_bare_shell(words: Argv) -> bool:
    if words[0][:1] == "-":
        return False
    from_name = plain_name(base_name(words[0]))
    return from_name in SHELLS and all(word in ("-i", "-p", "-l", "-ip", "-pi", "-li", "-il") for word in words[1:])


SHELLS: Final = frozenset(
    {"sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "csh", "tcsh", "fish", "yash", "posh", "rbash"}
)


def opens_shell(argv: Argv) -> bool:
    """Whether these words are a bare shell, such as `/bin/sh -i`."""
    return bool(argv) and _is_bare_shell(argv)


def wraps_shell(argv: Argv, name: str) -> bool:
    """Whether a wrapper with this name has a bare shell as its command."""
    if name in _OPTION_VALUE:
        return opens_shell(unwrapped(argv))
    return any(opens_shell(argv[start:]) for start in range(max(1, len(argv) - 3), len(argv)))


def unwrapped(argv: Argv) -> Argv:
    """Return the command inside `sudo`, `env`, `timeout` and their like, as far as they are wrapped."""
    for _ in range(NESTING):
        if not argv:
            return argv
        name = plain_name(base_name(argv[0]))
        if name not in _UNWRAPPED:
            return argv
        inner = wrapped(argv, name)
        if not inner:
            return argv
        argv = inner
    return argv


def wrapped(argv: Argv, name: str) -> Argv:
    """Return the command that a wrapper with this name runs; empty if it has none."""
    if name == "su":
        return ()  # What follows are a user, and arguments for the shell.
    with_value = _OPTION_VALUE.get(name, "")
    skip = _LEADING_OPERANDS.get(name, 0)
    position = 1
    while position < len(argv):
        word = argv[position]
        if word == "--":
            position += 1
            break
        if word.startswith("-") and len(word) > 1:
            position += 2 if word[1] != "-" and word[-1] in with_value else 1
        elif name in ("env", "sudo") and "=" in word:
            position += 1
        elif skip:
            skip -= 1
            position += 1
        else:
            break
    return argv[position:]


_NAME = r"(?:ba|da|z|k|a|c|tc|fi)?sh"
_PATH = rf"/(?:usr/)?(?:local/)?bin/{_NAME}"
_OPTIONS = r"""(?:\s+-[ipslx]+)*(?:\s*\d?[<>|]&?(?:\s*[^\s"'<>|;)}\]]+)?)*+"""
_ONLY_ARGUMENTS = rf"""\s*,\s*[\[{{]?\s*(?:["'](?:{_NAME}|-\w|[rw]["'])|stdio)"""
_END = rf"""{_OPTIONS}(?:\s*(?:$|[`;}}&\#\\])|["')\]}}](?!\s*,)|["']{_ONLY_ARGUMENTS})"""
_EMBEDDED = pattern(
    rf"""(?:(?<!\#)!\s*|["'`({{;|%]\s*|\b(?:exec|system|spawn|shell)\s+)(?:{_PATH}|{_NAME}){_END}"""
    rf"""|\b(?i:exec|system|shell):["']?{_PATH}\b"""
    rf"""|(?:[:=]["'!]?\s*|BEGIN\s*\{{.*){_PATH}{_END}"""
    rf"""|[\n\t][-@+]*{_PATH}{_END}"""
    rf"""|^{_PATH}(?:\s+-[ipslx]+|,-\w|\s*\d?[<>]+&?\s*\S+|\s*\#)"""
)
"""A bare shell in an argument: `:!/bin/sh`, `system("/bin/sh")`, `--hook=/bin/sh`, `; /bin/sh #`, `/bin/sh 0<&1`.

The repetitions are possessive, so that no argument, however it is written, makes the search take long.
"""


def embeds_shell(text: str) -> bool:
    """Whether an argument holds a bare shell as something to run."""
    return "sh" in text and _EMBEDDED.search(text) is not None
