"""The memory monitor: an act for every hook, and the records of it with every field that can be known."""

from functools import partial

from tests.vm.guest.checks.memory import ends, executable, origins, reaching, requests, usage
from tests.vm.guest.rungs import Checks


def hooks() -> Checks:
    """Return the check of each hook, for one round."""
    round_ = usage.Round()
    return {
        "image": executable.check_image,
        "fork": executable.check_fork,
        "end": partial(usage.check_end, round_),
        "usage": partial(usage.check_usage, round_),
        "fault": ends.check_fault,
        "oom": ends.check_oom,
        "connect": origins.check_connect,
        "exec": origins.check_exec,
        "protect": executable.check_protect,
        "map": partial(executable.check_map, round_),
        "attach": executable.check_attach,
        "unmap": partial(usage.check_unmap, round_),
        "break": partial(usage.check_break, round_),
        "move": executable.check_move,
        "remap": executable.check_remap,
        "ptrace": reaching.check_ptrace,
        "transfer": reaching.check_transfer,
        "memory file": reaching.check_memory_file,
        "userfaultfd": requests.check_userfaultfd,
        "memfd": requests.check_memfd,
    }
