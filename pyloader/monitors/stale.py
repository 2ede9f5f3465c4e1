"""XDP programs that a sensor left behind, because it was killed.

Every program of ours carries a number of its sensor among its constants, and while it lives the sensor holds an
abstract Unix socket of that name. The kernel frees the name with the process, so whoever can take it knows that nobody
reads.
"""

import struct

from pyloader.attach import sweep_all
from pyloader.binding import Descriptor, open_map_of, open_program, program_ids, program_info, read_numbers
from pyloader.errors import BusyError
from pyloader.monitors.instance import only_one
from pyloader.monitors.network import CONSTANTS, CONSTANTS_LAYOUT, PROGRAM


def socket_name(owner: int) -> str:
    """Return the name that the sensor with this number holds."""
    return f"xdp/{owner:016x}"


def owner_of(program_fd: int) -> int | None:
    """Return the number of the sensor that loaded a program, or `None` if the program is none of ours."""
    if program_info(program_fd).name.decode(errors="replace") != PROGRAM[:15]:
        return None
    constants = open_map_of(program_fd, CONSTANTS)
    if constants is None:
        return None
    with constants:
        try:
            values = read_numbers(constants.fileno(), 0, CONSTANTS_LAYOUT)
        except (OSError, struct.error):
            return None
    return int(values[5])


def open_stale(number: int) -> Descriptor | None:
    """Return the program with this id if it is ours and its sensor is gone, else `None`."""
    try:
        program = open_program(number)
    except OSError:
        return None
    try:
        owner = owner_of(program.fileno())
        if owner is not None and not _lives(owner):
            return program
    except OSError:
        pass
    program.close()
    return None


def sweep_left_behind() -> list[str]:
    """Detach the programs that killed sensors left behind; return the names of the interfaces they were on."""
    return [link.name for link in sweep_all(open_stale)] if _any_stale() else []


def _any_stale() -> bool:
    """Return whether a program of ours was left behind; false without the right to look."""
    try:
        numbers = list(program_ids())
    except OSError:
        return False
    for number in numbers:
        program = open_stale(number)
        if program is not None:
            program.close()
            return True
    return False


def _lives(owner: int) -> bool:
    try:
        with only_one(socket_name(owner)):
            return False
    except BusyError:
        return True
