"""What all tests share: none of them touches the state of a sensor of this host, or of another test."""

import os
import tempfile
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Give each test, with the fixtures that it is the first to need, a folder that stands for the system's."""
    before = os.environ.get("STATE_DIRECTORY")
    with tempfile.TemporaryDirectory(prefix="pyloader-state-") as folder:
        os.environ["STATE_DIRECTORY"] = f"{folder}/pyloader"
        try:
            return (yield)
        finally:
            if before is None:
                del os.environ["STATE_DIRECTORY"]
            else:
                os.environ["STATE_DIRECTORY"] = before
