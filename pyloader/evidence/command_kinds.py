"""What ordinary tools can be made to do, as kinds of evidence; the weights are as in `pyloader.evidence.catalogue`.

None of them is an alarm by itself: honest work has uses for every one of these shapes, only seldom. With the rights
of another user they weigh more, since it is there that a tool does what its caller may not.
"""

from typing import Final

from pyloader.evidence.catalogue import Kind
from pyloader.evidence.item import Group

# Shells by another tool ----------------------------------------------------------------------------------------------
NESTED_SHELL = Kind("nested_shell", Group.PROCESS, 1.0, "T1059.004", "{who} is a bare shell")
SHELL_KEEPS_RIGHTS = Kind(
    "shell_keeps_rights", Group.PROCESS, 3.6, "T1548.001", "{who} is a shell that keeps set-uid rights: {what}"
)
SHELL_AS_OPERAND = Kind(
    "shell_as_operand", Group.PROCESS, 3.4, "T1059.004", "{who} is given a bare shell to run: {what}"
)
SHELL_RENAMED = Kind("shell_renamed", Group.PROCESS, 3.3, "T1036.003", "{who} gives a shell another name: {what}")
SHELL_PLANTED = Kind("shell_planted", Group.PROCESS, 3.2, "T1059.004", "{who} writes code that opens a shell: {what}")

# Programs and libraries by an option ---------------------------------------------------------------------------------
PROGRAM_HOOKED = Kind(
    "program_hooked", Group.PROCESS, 3.0, "T1202", "{who} is told by an option to run a program: {what}"
)
LIBRARY_NAMED = Kind("library_named", Group.PROCESS, 2.9, "T1129", "{who} is told to load a library: {what}")
CODE_RUNS_PROGRAM = Kind(
    "code_runs_program", Group.PROCESS, 2.1, "T1059", "{who} runs a program from a one-liner: {what}"
)

# Files and connections by detours ------------------------------------------------------------------------------------
FILE_BY_DETOUR = Kind(
    "file_by_detour", Group.PROCESS, 2.9, "T1005", "{who} reads or writes a file in a roundabout way: {what}"
)
ROUND_TRIP = Kind("round_trip", Group.PROCESS, 3.0, "T1005", "{who} encodes a file only to decode it again: {what}")
CODE_HANDLES_FILE = Kind(
    "code_handles_file", Group.PROCESS, 1.6, "T1005", "{who} reads or writes a file by a one-liner: {what}"
)
CODE_TALKS = Kind("code_talks", Group.PROCESS, 2.4, "T1105", "{who} uses the network from a one-liner: {what}")
SENT_BY_DETOUR = Kind("sent_by_detour", Group.PROCESS, 2.9, "T1048", "{who} sends data out: {what}")
UPLOADED = Kind("uploaded", Group.PROCESS, 1.9, "T1048", "{who} sends a file out: {what}")
FETCHED_BY_DETOUR = Kind("fetched_by_detour", Group.PROCESS, 2.4, "T1105", "{who} fetches in an unusual way: {what}")
FILES_SERVED = Kind("files_served", Group.PROCESS, 2.4, "T1048", "{who} serves files to the network: {what}")

# Rights ---------------------------------------------------------------------------------------------------------------
SETGID_BIT = Kind("setgid_bit", Group.PROCESS, 1.2, "T1548.001", "{who} gives files a set-gid bit: {what}")

_WITH_RIGHTS: Final[dict[str, float]] = {
    SHELL_AS_OPERAND.code: 5.4,
    SHELL_RENAMED.code: 4.2,
    SHELL_PLANTED.code: 4.0,
    PROGRAM_HOOKED.code: 4.6,
    LIBRARY_NAMED.code: 4.6,
    CODE_RUNS_PROGRAM.code: 3.4,
    FILE_BY_DETOUR.code: 3.8,
    ROUND_TRIP.code: 4.2,
    CODE_HANDLES_FILE.code: 2.8,
    CODE_TALKS.code: 3.0,
    SENT_BY_DETOUR.code: 3.8,
    UPLOADED.code: 2.6,
    FETCHED_BY_DETOUR.code: 3.0,
    FILES_SERVED.code: 3.0,
}


def weight(kind: Kind, *, rights: bool) -> float:
    """Return what an item weighs; `rights` if its process has those of another user, by `sudo` or a set-uid bit."""
    return _WITH_RIGHTS.get(kind.code, kind.nats) if rights else kind.nats
