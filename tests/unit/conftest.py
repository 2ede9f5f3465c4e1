"""What the unit tests share: where the checkout is, and tests that always try the same examples."""

import sys
from pathlib import Path

import pytest
from hypothesis import settings

_ROOT = Path(__file__).resolve().parents[2]

# The helpers of these tests are imported from the root. It is appended, so that `pyloader` is still the installed one.
sys.path.append(str(_ROOT))

settings.register_profile("unit", derandomize=True, deadline=None, database=None)
settings.load_profile("unit")


@pytest.fixture(name="root", scope="session")
def _root() -> Path:
    """Return the folder of the checkout."""
    return _ROOT
