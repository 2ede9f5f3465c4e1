"""Whatever happens to the sensor, the disk or the files: there is a whole snapshot, or word of why there is none."""

import os
import random
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.errors import BusyError, NewerStateError, StateError
from pyloader.state.folder import default_folder
from pyloader.state.snapshot import Snapshot, _digest, pack, unpack
from pyloader.state.store import LAST, PREVIOUS, Store

MARK = b"pyloader state\n"


def _numbered(number: int, size: int = 100) -> Snapshot:
    """Return a snapshot whose sections follow from its number."""
    return Snapshot("1.2", "boot", 5, number, {"graph": bytes([number & 255]) * size, "other": b"%d" % number})


def _whole(snapshot: Snapshot) -> Snapshot:
    return snapshot


def _number(snapshot: Snapshot | None) -> int:
    """Return the number of a whole snapshot, or 0 for none."""
    if snapshot is None:
        return 0
    assert snapshot == _numbered(snapshot.time, len(snapshot.sections["graph"]))
    return snapshot.time


@given(
    st.builds(
        Snapshot,
        st.text(),
        st.text(),
        st.integers(-(2**63), 2**63),
        st.integers(0, 2**63),
        st.dictionaries(st.text(), st.binary()),
    )
)
def test_snapshots_come_back(snapshot: Snapshot) -> None:
    """What is packed is unpacked as it was."""
    assert unpack(pack(snapshot)) == snapshot


@given(st.data())
def test_damage_is_noticed(data: st.DataObject) -> None:
    """A snapshot that was cut off, or has one wrong bit, or another byte behind it, is none."""
    whole = pack(_numbered(3))
    cut = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    for damaged in (whole[:cut], bytes(flipped), whole + b"\0"):
        with pytest.raises(StateError):
            unpack(damaged)


@given(st.binary(max_size=100))
def test_bytes_with_a_right_digest(body: bytes) -> None:
    """Nor is what somebody made who can compute a digest."""
    for head in (b"", MARK, MARK + b"\0\1", MARK + b"\0\1\0\0\0\1"):
        data = head + body
        with pytest.raises(StateError):
            unpack(data + _digest(data))


def test_two_generations_are_kept(tmp_path: Path) -> None:
    """The newest snapshot is loaded, and the one before it is there."""
    with Store(tmp_path / "state") as store:
        assert store.load(_whole) == (None, [])
        for number in (1, 2, 3):
            assert store.save(_numbered(number)) == ""
        assert store.load(_whole) == (_numbered(3), [])

    assert unpack((tmp_path / "state" / PREVIOUS).read_bytes()) == _numbered(2)
    assert sorted(file.name for file in (tmp_path / "state").iterdir()) == ["holder", LAST, PREVIOUS]


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    """The folder and the files are their owner's alone, whatever mask is set."""
    before = os.umask(0)
    try:
        with Store(tmp_path / "a" / "state") as store:
            store.save(_numbered(1))
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "a" / "state").stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "a" / "state").iterdir()} == {0o600}


def test_damaged_snapshot_is_set_aside(tmp_path: Path) -> None:
    """A damaged snapshot is renamed and told of, the one before is used, and the next one takes its place."""
    with Store(tmp_path) as store:
        store.save(_numbered(1))
        store.save(_numbered(2))
        damaged = bytearray((tmp_path / LAST).read_bytes())
        damaged[40] ^= 1
        (tmp_path / LAST).write_bytes(damaged)
        snapshot, findings = store.load(_whole)

        assert snapshot == _numbered(1)
        assert findings == [
            f"cannot use {tmp_path / LAST}: it is no snapshot, or it is damaged; it is kept as snapshot.damaged-1"
        ]
        assert (tmp_path / "snapshot.damaged-1").read_bytes() == damaged
        assert store.save(_numbered(3)) == ""
        assert store.load(_whole) == (_numbered(3), [])
    assert unpack((tmp_path / PREVIOUS).read_bytes()) == _numbered(1)


def test_two_damaged_snapshots(tmp_path: Path) -> None:
    """If both are damaged the sensor begins anew, and says so."""
    with Store(tmp_path) as store:
        (tmp_path / LAST).write_bytes(b"")
        (tmp_path / PREVIOUS).write_bytes(b"anything")
        snapshot, findings = store.load(_whole)

    assert snapshot is None
    assert len(findings) == 3
    assert "begins anew" in findings[-1]


def test_few_damaged_snapshots_are_kept(tmp_path: Path) -> None:
    """Of many damaged snapshots the last three are kept."""
    with Store(tmp_path) as store:
        for number in range(1, 13):
            (tmp_path / LAST).write_bytes(b"%d" % number)
            store.load(_whole)

    left = {file.name: file.read_bytes() for file in tmp_path.glob("snapshot.*")}
    assert left == {f"snapshot.damaged-{number}": b"%d" % number for number in (10, 11, 12)}


def test_snapshot_of_a_later_version_is_kept(tmp_path: Path) -> None:
    """A snapshot of a later format is neither used nor lost: it is told of and set aside."""
    body = MARK + b"\0\2" + b"whatever that version writes, of which only the digest is known"
    later = body + _digest(body)
    (tmp_path / LAST).write_bytes(later)
    with pytest.raises(NewerStateError, match="format 2"):
        unpack(later)

    with Store(tmp_path) as store:
        snapshot, findings = store.load(_whole)
        store.save(_numbered(1))

    assert snapshot is None
    assert "it has format 2, and this version of pyloader knows none above 1" in findings[0]
    assert (tmp_path / "snapshot.newer-1").read_bytes() == later


def test_unreadable_snapshot_is_set_aside(tmp_path: Path) -> None:
    """What cannot even be read is no reason to stop."""
    with Store(tmp_path) as store:
        (tmp_path / LAST).mkdir()
        snapshot, findings = store.load(_whole)

        assert snapshot is None
        assert "Is a directory" in findings[0]
        assert store.save(_numbered(1)) == ""


def test_link_is_not_followed(tmp_path: Path) -> None:
    """A link in the place of the new file makes no other file change."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    with Store(tmp_path / "state") as store:
        (tmp_path / "state" / "snapshot.new").symlink_to(victim)

        assert "cannot write" in store.save(_numbered(1))
        assert store.save(_numbered(2)) == ""
    assert victim.read_text() == "mine"


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_folders_of_others_are_refused(tmp_path: Path, mode: int) -> None:
    """A folder to which others may write is refused, with what to do."""
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(mode)

    with pytest.raises(StateError, match=r"others may write to .*; forbid it with chmod go-w"):
        Store(folder)


def test_folder_that_is_none(tmp_path: Path) -> None:
    """A path that cannot be a folder is refused, with what to do."""
    (tmp_path / "file").write_text("")

    with pytest.raises(StateError, match="choose another folder with --state-dir"):
        Store(tmp_path / "file")
    with pytest.raises(StateError, match="choose another folder with --state-dir"):
        Store(tmp_path / "file" / "state")


def test_one_sensor_for_a_folder(tmp_path: Path) -> None:
    """A second sensor is told who uses the folder, and gets it when the first one has ended."""
    first = Store(tmp_path)
    with pytest.raises(BusyError, match=rf"the sensor with pid {os.getpid()} keeps its state in {tmp_path}"):
        Store(tmp_path)
    first.close()
    first.close()

    Store(tmp_path).close()


@pytest.mark.parametrize(
    ("uid", "environment", "expected"),
    [
        (0, {"XDG_STATE_HOME": "/x"}, "/var/lib/pyloader"),
        (0, {"STATE_DIRECTORY": "/s/one:/s/two"}, "/s/one"),
        (1000, {"STATE_DIRECTORY": "", "XDG_STATE_HOME": "/x"}, "/x/pyloader"),
        (1000, {"XDG_STATE_HOME": "/x", "HOME": "/home/u"}, "/x/pyloader"),
        (1000, {"XDG_STATE_HOME": "relative", "HOME": "/home/u"}, "/home/u/.local/state/pyloader"),
        (1000, {"HOME": "/home/u"}, "/home/u/.local/state/pyloader"),
    ],
)
def test_default_folder(uid: int, environment: dict[str, str], expected: str) -> None:
    """Root has a folder of the system, others one by the XDG rules, and a service the one that it was given."""
    assert default_folder(uid, environment) == Path(expected)


def _write_for_ever(path: Path, first: int, told: int) -> None:
    """Write snapshots with rising numbers and tell of each that was written."""
    chance = random.Random(first)
    with Store(path) as store:
        number = first
        while True:
            store.save(_numbered(number, chance.choice([10, 1_000, 200_000])))
            os.write(told, number.to_bytes(8, "big"))
            number += 1


def _killed_writer(path: Path, first: int, chance: random.Random) -> int:
    """Let a process write snapshots, kill it at some moment, and return the last number that it told, or 0."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reader)
            _write_for_ever(path, first, writer)
        finally:
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader, "rb") as told:
        last = told.read(8 * chance.randrange(4))
        # Not to wait for anything, but to end it at a moment like any other.
        time.sleep(chance.uniform(0, 0.01))
        os.kill(child, signal.SIGKILL)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
        return int.from_bytes((last + told.read())[-8:], "big")


def test_kill_at_any_moment(tmp_path: Path) -> None:
    """A sensor that is killed at 100 random moments leaves a whole snapshot each time; none that was told is lost."""
    chance = random.Random(2026)
    last = 0
    for _ in range(100):
        told = _killed_writer(tmp_path, last + 1, chance)
        with Store(tmp_path) as store:
            snapshot, findings = store.load(_whole)
        number = _number(snapshot)

        assert findings == []
        assert number in range(max(told, last), max(told, last) + 2)
        last = number

    assert last > 100


@pytest.fixture(name="tiny")
def _tiny(tmp_path: Path) -> Iterator[Path]:
    """Yield a file system of 256 KiB."""
    required = os.environ.get("PYLOADER_REQUIRE_KERNEL")
    if (os.geteuid() or shutil.which("mount") is None) and not required:
        pytest.skip("mounting takes root")
    folder = tmp_path / "tiny"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "tiny", folder],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode and not required:
        pytest.skip(f"cannot mount here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_full_disk(tiny: Path) -> None:
    """A full disk is told once and costs no snapshot; when there is room again, the next one is written."""
    with Store(tiny) as store:
        store.save(_numbered(1, 20_000))
        (tiny / "filler").write_bytes(bytes(150_000))
        told = [store.save(_numbered(number, 100_000)) for number in (2, 3, 4)]

        assert "No space left on device; watching goes on" in told[0]
        assert told[1:] == ["", ""]
        assert store.failures == 3
        assert store.load(_whole) == (_numbered(1, 20_000), [])
        assert sorted(file.name for file in tiny.iterdir()) == ["filler", "holder", LAST]

        (tiny / "filler").unlink()
        assert store.save(_numbered(5, 100_000)) == ""
        assert store.load(_whole) == (_numbered(5, 100_000), [])
        (tiny / "filler").write_bytes(bytes(100_000))
        assert "No space left" in store.save(_numbered(6, 100_000))


def test_disk_that_has_become_read_only(tiny: Path) -> None:
    """So is one that can no longer be written, and a sensor that begins on it still knows what was saved."""
    with Store(tiny) as store:
        store.save(_numbered(1))
        subprocess.run(["mount", "-o", "remount,ro", tiny], check=True)

        assert "Read-only file system" in store.save(_numbered(2))
        assert store.save(_numbered(3)) == ""
        assert store.failures == 2

    with Store(tiny) as store:
        assert store.load(_whole) == (_numbered(1), [])
