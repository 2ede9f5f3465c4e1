"""Programs that do nothing but use memory make few records, and all of them arrive."""

from collections import Counter
from pathlib import Path

import pytest

from pyloader.monitors import MEMORY
from pyloader.records import EventLoss, HookInUse, ProcessSeen, Record
from pyloader.records.sensor import CgroupSeen
from tests.kernel.observing import observe, run

SECONDS = 3
MOST = 1_000 * SECONDS

NOT_FROM_THE_KERNEL = (EventLoss, HookInUse, ProcessSeen, CgroupSeen)

STRESSES = {
    "mmap": ["--mmap", "2"],
    "fault": ["--fault", "2"],
    "mprotect": ["--mprotect", "2"],
    "sigsegv": ["--sigsegv", "2"],
    "memfd": ["--memfd", "2"],
}


@pytest.mark.parametrize("stress", STRESSES)
def test_a_load_makes_few_records_and_loses_none(stress: str, tmp_path: Path) -> None:
    """Two processes that do one thing to memory again and again make less than 1,000 records a second; none is lost."""
    command = ["stress-ng", *STRESSES[stress], "--timeout", str(SECONDS), "--temp-path", str(tmp_path)]

    ended: list[int] = []

    records: list[Record] = [one.record for one in observe(lambda: ended.append(run(command).returncode), MEMORY)]

    assert ended == [0]
    assert [one for one in records if isinstance(one, EventLoss)] == []
    made = Counter(type(one).__name__ for one in records if not isinstance(one, NOT_FROM_THE_KERNEL))
    assert 0 < made.total() < MOST, made
