"""What follows on code that was just made.

A loader makes memory executable and then connects or executes; both within a minute is one bonus in the group of
sequences. A program that the baseline knows to make code has no such sequence: nothing was told that could be followed.
That a child executes is weaker, as run times start programs all day long; it is told of the process that made the code.
"""

from typing import Final

from pyloader.evidence.catalogue import CODE_THEN_CHILD, CODE_THEN_CONNECT, CODE_THEN_EXEC
from pyloader.evidence.habits import instance_of
from pyloader.evidence.item import NOTHING, Evidence
from pyloader.host import Process
from pyloader.records import Call, CallOrigin, ProcessExec, Suspicion

FRESH_NS: Final = 60 * 1_000_000_000

_FOLLOWS: Final = {int(Call.EXEC): CODE_THEN_EXEC, int(Call.CONNECT): CODE_THEN_CONNECT}
_FRESH_CODE: Final = int(Suspicion.FRESH_CODE)


def judge_call(record: CallOrigin, process: Process) -> tuple[Evidence, ...]:
    """Judge an exec or a connect of a process that made code within the last minute."""
    kind = _FOLLOWS.get(record.call)
    if kind is None or not record.suspicions & _FRESH_CODE or not _voiced(process, record.timestamp):
        return NOTHING
    return (kind.about(process),)


def judge_execution(record: ProcessExec, process: Process) -> tuple[Evidence, ...]:
    """Judge an execution by a process that made code within the last minute, or by its child."""
    if _voiced(process, record.timestamp):
        return (CODE_THEN_EXEC.about(process),)
    parent = process.parent
    if parent is not None and _voiced(parent, record.timestamp):
        return (CODE_THEN_CHILD.about(parent),)
    return NOTHING


def _voiced(process: Process, now: int) -> bool:
    instance = instance_of(process)
    return instance is not None and instance.voiced != 0 and now - instance.voiced <= FRESH_NS
