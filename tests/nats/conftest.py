"""Fixtures of the tests with a real NATS server."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent

# The tests' own modules; appended, so that `pyloader` is still the installed one.
sys.path.append(str(HERE.parents[1]))

from tests.nats.server import NatsServer  # noqa: E402 -- needs the line above.


@pytest.fixture(scope="session", autouse=True)
def _able() -> None:
    """Fail where there is no server: `make test-tools` installs one."""
    if shutil.which("nats-server") is None:
        pytest.fail("nats-server is not installed (Debian: apt-get install nats-server)")


@pytest.fixture(name="nats_server")
def _nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    """Return a server with JetStream that runs."""
    folder = tmp_path / "nats-server"
    folder.mkdir()
    with NatsServer(folder) as server:
        yield server
