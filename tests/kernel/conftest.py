"""Fixtures of the kernel tests: the right to run, the rungs, C programs, and the proof that nothing stays behind."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyloader import kernel
from pyloader.monitors import CONNECTION, MEMORY, PROCESS, Monitor, Transport

HERE = Path(__file__).parent

# The tests' own modules; appended, so that `pyloader` is still the installed one.
sys.path.append(str(HERE.parents[1]))

from tests.kernel.observing import Observe, kernel_ids, left_behind, observe  # noqa: E402 -- needs the line above.
from tests.kernel.watching import Watch, watch  # noqa: E402 -- likewise.

REQUIRED = "PYLOADER_REQUIRE_KERNEL"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test in this folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.kernel)


@pytest.fixture(scope="session", autouse=True)
def _able() -> None:
    """Skip where the kernel or the user cannot, but fail if the machine is meant to be able."""
    problems = [finding.problem for finding in kernel.findings() if finding.problem is not None]
    if problems and os.environ.get(REQUIRED) == "1":
        pytest.fail(f"{REQUIRED}=1, and yet: {problems[0]}")
    if problems:
        pytest.skip(str(problems[0]))


@pytest.fixture(autouse=True)
def _nothing_stays_behind(_able: None) -> Iterator[None]:
    before = kernel_ids()
    yield
    assert {"prog": set(), "map": set(), "link": set()} == left_behind(before)


@pytest.fixture(params=["tp_btf", "tp"])
def rung(request: pytest.FixtureRequest) -> Monitor:
    """Return the process monitor, forced on one kind of hook."""
    hooks = [
        hook._replace(rungs=tuple(one for one in hook.rungs if one.name.startswith(f"{request.param}/")))
        for hook in PROCESS.hooks
    ]
    return PROCESS._replace(hooks=tuple(hooks))


@pytest.fixture(params=list(Transport))
def transport(request: pytest.FixtureRequest) -> Transport:
    """Return each way that records come from the kernel."""
    return Transport(request.param)


@pytest.fixture(name="observe")
def _observe(rung: Monitor, transport: Transport) -> Observe:
    """Return `observe` for each rung of the ladder and each transport in turn."""
    return lambda action: observe(action, rung, transport=transport)


@pytest.fixture(params=["tp_btf", "tp"])
def connection_rung(request: pytest.FixtureRequest) -> Monitor:
    """Return the connection monitor, forced on one kind of hook wherever it has one."""
    return CONNECTION.forced(request.param)


@pytest.fixture(name="observe_connections")
def _observe_connections(connection_rung: Monitor, transport: Transport) -> Observe:
    """Return `observe` for connections, on each rung of the ladders and by each transport in turn."""
    return lambda action: observe(action, connection_rung, transport=transport)


@pytest.fixture(
    name="watch",
    scope="module",
    params=[("tp_btf", Transport.RING), ("tp", Transport.RING), ("tp_btf", Transport.PERF)],
    ids="-".join,
)
def _watch(request: pytest.FixtureRequest) -> Watch:
    """Return `watch` with the memory monitor on each rung of its ladder that holds here, and each transport."""
    kind, transport = request.param
    return lambda perform: watch(MEMORY.forced(kind), transport, perform)


def _public_folder() -> Iterator[Path]:
    """Yield a new folder that every user may look into: pytest's own are for their owner alone."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture(name="public_folder")
def _public() -> Iterator[Path]:
    """Return a new folder that every user may look into."""
    yield from _public_folder()


@pytest.fixture(scope="session")
def programs() -> Iterator[Path]:
    """Return a folder with the C programs of this test suite, built."""
    for folder in _public_folder():
        for source in sorted((HERE / "programs").glob("*.c")):
            # A program that is to be built in a special way says so in its first line.
            flags = source.read_text().partition("\n")[0].partition("/* flags: ")[2].split()
            command = ["gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread", *flags]
            subprocess.run([*command, str(source), "-o", str(folder / source.stem)], check=True)
        yield folder
