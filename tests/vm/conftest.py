"""Fixtures of the tests that boot other kernels.

`PYLOADER_VM` chooses: `all` series (the default), or the `ends`, which are the oldest and the newest.
"""

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

# The tests' own modules; appended, so that `pyloader` is still the installed one.
sys.path.append(str(HERE.parents[1]))

from tests.vm import guests, matrix  # noqa: E402 -- needs the line above.
from tests.vm.archive import ArchiveError  # noqa: E402 -- likewise.
from tests.vm.kernels import MATRIX, X86_64, KernelMissingError, Series  # noqa: E402 -- likewise.
from tests.vm.machine import GuestError  # noqa: E402 -- likewise.
from tests.vm.report import Report  # noqa: E402 -- likewise.

CHOICE = "PYLOADER_VM"
_CHOICES = {"all": MATRIX, "ends": (X86_64[0], X86_64[-1])}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a series once for each chosen one."""
    if "series" in metafunc.fixturenames:
        choice = os.environ.get(CHOICE, "all")
        if choice not in _CHOICES:
            message = f"{CHOICE}={choice}: it is one of {', '.join(_CHOICES)}"
            raise pytest.UsageError(message)
        chosen = _CHOICES[choice]
        metafunc.parametrize("series", chosen, ids=map(str, chosen), scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that boot a kernel."""
    for item in items:
        if HERE in item.path.parents and {"report", "ends"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.vm)


@pytest.fixture(name="report", scope="session")
def _report(series: Series) -> Report:
    """Return what the guest of a series reports; all tests of a series share one guest."""
    return _booted(series)


@pytest.fixture(name="ends", scope="session")
def _ends() -> tuple[Report, Report]:
    """Return the reports of the oldest and of the newest kernel."""
    return _booted(X86_64[0]), _booted(X86_64[-1])


def _booted(series: Series) -> Report:
    try:
        return guests.report(series)
    except (ArchiveError, GuestError, KernelMissingError) as error:
        pytest.fail(str(error), pytrace=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Keep what was found out, and show it."""
    if guests.BOOTED:
        terminalreporter.section("verified instructions (* the rung that is used)")
        terminalreporter.write(matrix.keep(guests.MATRIX_FILE, guests.BOOTED))
