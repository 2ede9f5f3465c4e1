"""One process at a time has the name of an instance."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from pyloader.errors import BusyError
from pyloader.monitors import only_one

_HOLDER = """\
import sys
from pyloader.monitors import only_one
with only_one(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(name="instance")
def _instance() -> str:
    """Return a name that no other process has."""
    return f"test-{os.getpid()}"


@pytest.fixture(name="holder")
def _holder(instance: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Return another process that holds the name until its standard input ends."""
    with subprocess.Popen(
        [sys.executable, "-P", "-c", _HOLDER, instance], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        yield holder
        holder.kill()


def test_second_holder(instance: str, holder: "subprocess.Popen[bytes]") -> None:
    """While one process has the name, another is refused, is told which one has it, and what else it can do."""
    with pytest.raises(BusyError, match=rf"{instance}' \(pid {holder.pid}\); .*--instance NAME"), only_one(instance):
        pytest.fail("two have one name")


def test_many_refusals(instance: str, holder: "subprocess.Popen[bytes]") -> None:
    """However often it is refused, no attempt waits for the holder, which answers nobody."""
    assert holder.poll() is None
    begin = time.monotonic()
    for _ in range(10):
        with pytest.raises(BusyError, match="is at work already"), only_one(instance):
            pytest.fail("two have one name")

    assert time.monotonic() - begin < 2


def test_holder_in_this_process(instance: str) -> None:
    """Two sensors of one process, too, are told apart."""
    with only_one(instance), pytest.raises(BusyError, match="in this process"), only_one(instance):
        pytest.fail("two have one name")


def test_free_after_the_block(instance: str) -> None:
    """After the block the name can be had again, with an exception as well."""
    for _ in range(2):
        with pytest.raises(KeyError), only_one(instance):
            raise KeyError


@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_free_after_the_end_of_a_process(instance: str, holder: "subprocess.Popen[bytes]", end: str) -> None:
    """However its holder ends, with SIGKILL as well, the name is free with it."""
    getattr(holder, end)()
    holder.wait()

    with only_one(instance):
        pass


def test_patience(instance: str, holder: "subprocess.Popen[bytes]") -> None:
    """Who has patience gets the name when its holder is done, and not before."""
    with pytest.raises(BusyError), only_one(instance, patience=0.05):
        pytest.fail("two have one name")
    assert holder.stdin is not None
    holder.stdin.close()

    with only_one(instance, patience=30):
        assert holder.wait(10) == 0


def test_names_are_independent(instance: str, holder: "subprocess.Popen[bytes]") -> None:
    """Another name is free, even one that begins alike."""
    assert holder.poll() is None
    with only_one(f"{instance}/pins"), only_one(instance[:-1]):
        pass
