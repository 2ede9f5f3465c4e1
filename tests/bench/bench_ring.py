"""From the ring to typed structs: nanoseconds per record.

The ring is filled by the process monitor itself: its fork and exit programs are attached while `spawn` creates
processes, and detached before anything is timed. The records have 10 fields (`process_fork`) and 11 (`process_exit`).

Timed, from a full ring to an empty one, in every round each way with a ring of its own:

- batches: `RingReader.read`, one `decode_batch` for each batch and `acknowledge`, as `pyloader run` reads;
- batches, drained only: `RingReader.read` alone;
- callback: `ring_buffer__consume` with a ctypes callback that copies its record and decodes it, into lists as long as
  batches are.

A way that does not read the ring to its end is an error.
"""

import ctypes
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib import resources

from pyloader.binding import Batch, BpfObject, RingReader
from pyloader.binding.library import library_path
from pyloader.monitors import Transport
from pyloader.monitors.prepare import prepare
from pyloader.records import AnyRecord
from pyloader.records.codec import decode, decode_batch
from tests.bench.figures import Figure, at_most, figure, ratios
from tests.bench.programs import elapsed

TITLE = "ring to struct"
ROUNDS = 9

PROCESSES = 20_000
RING_BYTES = 16 << 20
BATCH = 4_096

_NO_HORIZON = 2**64 - 1

Way = Callable[[int], int]
"""Takes the descriptor of a full ring, empties it and returns the number of records."""


def measure(rounds: int) -> list[Figure]:
    """Time all ways in turn."""
    ways: dict[str, Way] = {"batches": _batches, "drained": _drained, "callback": _callback}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            times[name].append(_timed(way))
    return [
        figure("batches", "ns/record", times["batches"], at_most(450)),
        figure("batches, drained only", "ns/record", times["drained"]),
        figure("ctypes callback", "ns/record", times["callback"]),
        figure("ctypes callback / batches", "x", ratios(times["callback"], times["batches"])),
    ]


def _timed(way: Way) -> float:
    """Return the nanoseconds per record of one full ring."""
    with _filled_ring() as ring, closing(_reader(ring)) as witness:
        begin = time.perf_counter_ns()
        records = way(ring)
        duration = time.perf_counter_ns() - begin
        left = witness.pending()
    if records < 2 * PROCESSES or left:
        message = f"{2 * PROCESSES} records were expected; {records} were read, and {left} bytes are left"
        raise RuntimeError(message)
    return duration / records


@contextmanager
def _filled_ring() -> Iterator[int]:
    data = (resources.files("pyloader") / "objects" / "process_monitor.bpf.o").read_bytes()
    with BpfObject.open(data, "process_monitor") as monitor:
        monitor.select(["fork_btf", "exit_btf"])
        prepare(monitor, transport=Transport.RING, ring_bytes=RING_BYTES)
        monitor.load()
        with ExitStack() as links:
            for program in ("fork_btf", "exit_btf"):
                links.enter_context(monitor.attach(program))
            elapsed("spawn", PROCESSES, 0)
        yield monitor.map_fd("common")


def _reader(ring: int) -> RingReader:
    return RingReader([(ring, RING_BYTES)])


def _batches(ring: int) -> int:
    return _read(ring, lambda batch: len(decode_batch(batch.data, batch.ends, 0)[0]))


def _drained(ring: int) -> int:
    return _read(ring, lambda batch: len(batch.ends))


def _read(ring: int, count: Callable[[Batch], int]) -> int:
    records = 0
    with closing(_reader(ring)) as reader:
        more = True
        while more:
            batch, more = reader.read(_NO_HORIZON)
            if batch is not None:
                records += count(batch)
            reader.acknowledge()
    return records


def _callback(ring: int) -> int:
    """Read as Python does with nothing but libbpf's own interface."""
    libbpf = ctypes.CDLL(str(library_path()))
    callback_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
    libbpf.ring_buffer__new.argtypes = (ctypes.c_int, callback_type, ctypes.c_void_p, ctypes.c_void_p)
    libbpf.ring_buffer__new.restype = ctypes.c_void_p
    libbpf.ring_buffer__consume.argtypes = libbpf.ring_buffer__free.argtypes = (ctypes.c_void_p,)
    batch: list[AnyRecord] = []

    def take(_context: int, data: int, size: int) -> int:
        batch.append(decode(ctypes.string_at(data, size)))
        if len(batch) == BATCH:
            batch.clear()
        return 0

    callback = callback_type(take)
    reader = libbpf.ring_buffer__new(ring, callback, None, None)
    try:
        return int(libbpf.ring_buffer__consume(reader))
    finally:
        libbpf.ring_buffer__free(reader)
