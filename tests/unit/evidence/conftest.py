"""A stage for the tests of evidence."""

import pytest

from tests.unit.evidence.stage import Stage


@pytest.fixture
def stage() -> Stage:
    """An empty host."""
    return Stage()
