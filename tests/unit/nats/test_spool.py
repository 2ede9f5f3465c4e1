"""The queue in files: nothing is lost but what a bound forces out, and that is counted."""

import itertools
import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.errors import BusyError, NatsError
from pyloader.nats.losses import Losses
from pyloader.nats.segments import Entry
from pyloader.nats.spool import Place, Spool, SpoolFolder

DAY = 86_400.0


def _entry(number: int, size: int = 100) -> Entry:
    return Entry("record", number, "s", str(number), b"\xc1" * size)


def _spool(  # noqa: PLR0917 -- a test changes one of them.
    folder: Path | None,
    losses: Losses | None = None,
    limit: int = 1 << 20,
    memory: int = 1 << 20,
    clock: Callable[[], float] = lambda: 1e9,
    make_room: Callable[[], bool] = lambda: False,
) -> Spool:
    return Spool(
        folder,
        losses if losses is not None else Losses(),
        limit_bytes=limit,
        limit_seconds=DAY,
        memory_bytes=memory,
        clock=clock,
        make_room=make_room,
    )


def _rest(spool: Spool) -> list[tuple[Place, Entry]]:
    found = []
    while batch := spool.read():
        found += batch
    return found


def _path_of(descriptor: int) -> str:
    return str(Path(f"/proc/self/fd/{descriptor}").readlink())


def _numbers(spool: Spool) -> list[int]:
    return [entry.time for _, entry in _rest(spool)]


@pytest.mark.parametrize("is_disk", [True, False])
def test_order(tmp_path: Path, *, is_disk: bool) -> None:
    """What is appended is read once, in order, over any number of segments."""
    spool = _spool(tmp_path if is_disk else None)
    for number in range(0, 3_000, 10):
        spool.append([_entry(number + more) for more in range(10)])

    assert _numbers(spool) == list(range(3_000))
    assert not spool.has_unread
    assert not spool.is_empty


@pytest.mark.parametrize("is_disk", [True, False])
def test_acknowledged_is_removed(tmp_path: Path, *, is_disk: bool) -> None:
    """What was acknowledged is gone, and what was not is read again after a rewind."""
    spool = _spool(tmp_path if is_disk else None)
    spool.append([_entry(number) for number in range(3_000)])
    found = _rest(spool)
    spool.acknowledge(found[1_999][0])
    spool.rewind()
    again = _rest(spool)
    spool.acknowledge(again[-1][0])

    assert [entry.time for _, entry in again] == list(range(2_000, 3_000))
    assert spool.is_empty
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) == 0
    spool.append([_entry(1)])
    assert _numbers(spool) == [1]


@given(st.lists(st.tuples(st.sampled_from(["append", "read", "acknowledge", "rewind", "kill"]), st.integers(1, 60))))
def test_like_a_list(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]) -> None:
    """In any order of steps, kills among them, everything is read until it is acknowledged, and in order."""
    folder = tmp_path_factory.mktemp("spool")
    losses = Losses()
    spool = _spool(folder, losses, limit=1 << 16)
    appended = acknowledged = 0
    unread: list[int] = []
    in_flight: list[tuple[Place, Entry]] = []
    for step, count in steps:
        if step == "append":
            # Fewer bytes wait than the bound.
            if appended - acknowledged < 60:
                spool.append([_entry(number) for number in range(appended, appended + count)])
                unread += range(appended, appended + count)
                appended += count
        elif step == "read":
            found = spool.read()
            assert [entry.time for _, entry in found] == unread[: len(found)]
            assert bool(found) == bool(unread)
            unread = unread[len(found) :]
            in_flight += found
        elif step == "acknowledge" and in_flight:
            place, last = in_flight[:count][-1]
            spool.acknowledge(place)
            acknowledged = last.time + 1
            in_flight = in_flight[count:]
        elif step in ("rewind", "kill"):
            if step == "kill":
                spool = _spool(folder, losses, limit=1 << 16)
            spool.rewind()
            in_flight, unread = _rest(spool), []
            found_times = [entry.time for _, entry in in_flight]
            assert found_times == list(range(found_times[0] if found_times else appended, appended))
            assert (found_times or [acknowledged])[0] <= acknowledged
    assert losses.total == {}


class _Killed(BaseException):
    """Stands for the moment of a kill."""


def _killing(original: Callable[..., Any], at: int, calls: Iterator[int]) -> Callable[..., Any]:
    """Return a call to the kernel during which a kill comes, if it is the one with this number."""

    def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 -- any call to the kernel.
        if next(calls) != at:
            return original(*arguments, **named)
        if original.__name__ == "write":
            original(arguments[0], arguments[1][: len(arguments[1]) // 2])
        raise _Killed

    return call


def _work(spool: Spool, appended: list[int], acknowledged: list[int]) -> None:
    """Append, read, acknowledge and sync, over several segments; the lists hold what was done when it was."""
    for turn in range(40):
        numbers = range(10 * turn, 10 * turn + 10)
        spool.append([_entry(number, size=200) for number in numbers])
        appended += numbers
        if turn % 3 == 2:
            found = _rest(spool)
            place, last = found[len(found) // 2 if turn % 2 else -1]
            acknowledged[:] = range(last.time + 1)
            spool.acknowledge(place)
            spool.rewind()
        if turn % 7 == 0:
            spool.sync()


def test_killed_at_every_step(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever call to the kernel a kill comes with, half done or not done, all that was appended is there again."""
    steps = 0
    for kill_at in itertools.count(1):
        folder = tmp_path_factory.mktemp("spool")
        calls = itertools.count(1)
        appended: list[int] = []
        acknowledged: list[int] = []
        is_killed = False
        with monkeypatch.context() as patch:
            for name in ("write", "open", "ftruncate", "unlink", "fsync", "pread", "close"):
                patch.setattr(os, name, _killing(getattr(os, name), kill_at, calls))
            try:
                _work(_spool(folder, limit=1 << 16), appended, acknowledged)
            except _Killed:
                is_killed = True
        found = _numbers(_spool(folder))

        assert found == sorted(set(found))
        assert set(appended) - set(acknowledged) <= set(found)
        assert set(found) <= set(range(len(appended) + 10))
        steps = kill_at
        if not is_killed:
            break
    assert steps > 100


def test_torn_tail(tmp_path: Path) -> None:
    """What a power failure has torn off at the end is counted as damage, and all before it is read."""
    _spool(tmp_path).append([_entry(number) for number in range(10)])
    [path] = tmp_path.iterdir()
    os.truncate(path, path.stat().st_size - 50)
    losses = Losses()
    spool = _spool(tmp_path, losses)
    spool.append([_entry(10)])

    assert _numbers(spool) == [*range(9), 10]
    assert spool.damaged == 1
    assert [(loss.kind, loss.reason, loss.messages) for loss in losses.take()] == [("message", "damaged", 1)]


def test_nothing_but_damage(tmp_path: Path) -> None:
    """A file in which nothing can be read is counted, and goes, and so does an empty one, which is no damage."""
    (tmp_path / "0000000000000001.spool").write_bytes(b"x" * 100)
    (tmp_path / "0000000000000002.spool").touch()
    (tmp_path / "notes.txt").write_text("not ours")
    spool = _spool(tmp_path)

    assert _numbers(spool) == []
    assert (spool.damaged, spool.is_empty) == (1, True)
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("is_disk", [True, False])
def test_bound_of_bytes(tmp_path: Path, *, is_disk: bool) -> None:
    """What does not fit forces out the oldest, which is counted with the time that it is of."""
    losses = Losses()
    spool = _spool(tmp_path if is_disk else None, losses, limit=1 << 16, memory=1 << 16)
    for number in range(2_000):
        spool.append([_entry(number)])
    left = _numbers(spool)
    [loss] = losses.take()

    assert left == list(range(loss.messages, 2_000))
    assert spool.size <= 1 << 16
    assert spool.size > 1 << 15
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 1 << 16
    assert loss.reason == ("spool full" if is_disk else "memory full")
    assert (loss.begin, loss.end) == (0, loss.messages - 1)
    assert losses.total == {"record": loss.messages}
    assert losses.take() == []


def test_bound_holds_for_what_was_left(tmp_path: Path) -> None:
    """A smaller bound holds for what an earlier process has left, too."""
    _spool(tmp_path).append([_entry(number) for number in range(2_000)])
    losses = Losses()
    spool = _spool(tmp_path, losses, limit=1 << 18)

    assert spool.size <= 1 << 18
    assert _numbers(spool) == list(range(losses.total["record"], 2_000))


def test_bound_of_age(tmp_path: Path) -> None:
    """What is too old is given up and counted; what is younger stays."""
    losses = Losses()
    now = [1e9]
    spool = _spool(tmp_path, losses, limit=1 << 16, clock=lambda: now[0])
    spool.append([_entry(number) for number in range(100)])
    now[0] += DAY
    spool.append([_entry(number) for number in range(100, 200)])
    now[0] += 1
    spool.expire()

    assert losses.total["record"] >= 1
    assert _numbers(spool) == list(range(losses.total["record"], 200))
    now[0] += DAY
    spool.expire()
    assert (losses.total, spool.is_empty) == ({"record": 200}, True)


@pytest.fixture(name="small_files")
def _small_files() -> Iterator[None]:
    """Let no file grow beyond 32 KiB, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 15, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("small_files")
def test_disk_full(tmp_path: Path) -> None:
    """Where the disk takes no more, memory does, in order; nothing is torn, and nothing is lost within the bound."""
    losses = Losses()
    spool = _spool(tmp_path, losses, limit=1 << 22, memory=1 << 20)
    for number in range(500):
        spool.append([_entry(number, size=1_000)])

    assert _numbers(spool) == list(range(500))
    assert losses.total == {}
    assert spool.damaged == 0


def test_no_disk_at_all(tmp_path: Path) -> None:
    """Without a folder to write in, the bound of memory holds, and all beyond it is counted."""
    folder = tmp_path / "spool"
    losses = Losses()
    spool = _spool(folder, losses, memory=1 << 16)
    folder.rmdir()
    for number in range(2_000):
        spool.append([_entry(number)])

    assert spool.size <= 1 << 16
    assert _numbers(spool) == list(range(losses.total["record"], 2_000))
    folder.mkdir()
    spool.append([_entry(2_000)])
    assert _numbers(spool) == [2_000]
    assert len(list(folder.iterdir())) == 1


@pytest.mark.usefixtures("small_files")
def test_room_is_made(tmp_path: Path) -> None:
    """A full disk takes what is preferred in place of what another spool has there."""
    asked = []

    def make_room() -> bool:
        asked.append(1)
        return False

    spool = _spool(tmp_path, limit=1 << 22, make_room=make_room)
    spool.append([_entry(0, size=20_000)])

    assert asked
    assert _numbers(spool) == [0]


def test_oldest_is_given_up(tmp_path: Path) -> None:
    """To make room, the oldest segment on disk is given up and counted; in memory there is none."""
    losses = Losses()
    spool = _spool(tmp_path, losses, limit=1 << 16)
    spool.append([_entry(number) for number in range(100)])

    assert spool.give_up_oldest()
    assert _numbers(spool) == list(range(losses.total["record"], 100))
    assert not _spool(None).give_up_oldest()


@pytest.mark.parametrize("is_disk", [True, False])
def test_prologue(tmp_path: Path, *, is_disk: bool) -> None:
    """Every segment begins with the prologue, and one that is emptied and used again needs none."""
    prologue = Entry("header", 1_000_000, "s", "", b"")
    spool = Spool(
        tmp_path if is_disk else None,
        Losses(),
        limit_bytes=1 << 16,
        limit_seconds=DAY,
        memory_bytes=1 << 16,
        clock=lambda: 1e9,
        prologue=lambda: prologue,
    )
    numbers = []
    for number in range(20):
        spool.append([_entry(number)])
        [*found] = _rest(spool)
        numbers += [entry.time for _, entry in found]
        spool.acknowledge(found[-1][0])
        assert spool.is_empty
    assert numbers == [1_000_000, *range(20)]
    spool.append([_entry(number) for number in range(2_000)])
    assert spool.size <= 1 << 16
    assert _numbers(spool)[0] == 1_000_000


def test_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was appended is written to the disk, with the name of its file, and once is enough."""
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(_path_of(descriptor)))
    spool = _spool(tmp_path)
    spool.append([_entry(0)])
    spool.sync()
    spool.sync()

    assert synced == [str(tmp_path / "0000000000000001.spool"), str(tmp_path)]


def test_close(tmp_path: Path) -> None:
    """What is on disk waits for the next process; what is only in memory is counted as lost."""
    spool = _spool(tmp_path)
    spool.append([_entry(0)])
    spool.close()
    losses = Losses()
    memory = _spool(None, losses)
    memory.append([_entry(0)])
    memory.close()

    assert _numbers(_spool(tmp_path)) == [0]
    assert losses.total == {"record": 1}


def test_one_publisher_a_folder(tmp_path: Path) -> None:
    """A folder has one user at a time, and a path that can be no folder is named."""
    (tmp_path / "file").touch()
    with SpoolFolder(tmp_path / "spool"), pytest.raises(BusyError, match="another process publishes"):
        SpoolFolder(tmp_path / "spool")
    SpoolFolder(tmp_path / "spool").close()
    (tmp_path / "spool").chmod(0o770)
    with pytest.raises(NatsError, match="others may write"):
        SpoolFolder(tmp_path / "spool")
    with pytest.raises(NatsError, match="Not a directory"):
        SpoolFolder(tmp_path / "file" / "spool")
