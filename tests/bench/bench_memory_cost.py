"""What watching memory costs the machine: nanoseconds per call and per page fault, records a second, and maps.

Timed, on one CPU that the timed program has been given, bare and with each watcher in turn:

- pairs of calls that are watched: `mmap` and `munmap`, `mprotect` to executable and back, `brk` up and down;
- page faults: pages that are touched for the first time;
- getppid: a loop of a system call that nobody watches;
- the rates of the stressors `mmap` and `fault` of stress-ng, in its own operations a second.

Each round measures everything once, and ratios are taken within a round. The watchers are `pyloader run` with the
memory monitor alone, and a bpftrace script that only counts by process, at the very places that the monitor hooks on
this kernel: the rungs that hold are found out first, and the sections of their programs tell the places.

Records are those of the kernel that the summary counts, over the time in which the stressors ran, although the calls
before and whatever else the machine did caused some of them: no more than that were written a second. The maps are
those that the running process has open, as the kernel accounts for them. Programs that others attach to the same places
make bare dearer, and every ratio to it smaller: how many there were is shown.
"""

import io
import json
import os
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from pyloader.monitors import MEMORY, LoadedMonitor
from pyloader.monitors.climb import object_file
from pyloader.records import KERNEL_RECORDS, event_name
from pyloader.sources.live import RING_BYTES
from tests.bench.figures import CannotMeasureError, Figure, at_least, at_most, figure, ratios
from tests.bench.programs import elapsed
from tests.bench.watchers import PYLOADER, Running, Watcher, running

TITLE = "cost of watching memory"
ROUNDS = 5

BARE, BPFTRACE = "bare", "bpftrace"

ACTS = {
    "mmap+munmap": ("map", 200_000),
    "mprotect to executable and back": ("execute", 100_000),
    "brk up and down": ("break", 200_000),
    "page fault": ("touch", 400_000),
}
CALLS = 2_000_000

STRESSORS = {"mmap": ["--mmap-bytes", "2M"], "fault": []}
SECONDS = 4
"""Of each stressor."""

_RINGBUF = 27
"""BPF_MAP_TYPE_RINGBUF (include/uapi/linux/bpf.h)."""

_OTHERS = "programs of others while bare"

_Values = dict[str, float]


def measure(rounds: int) -> list[Figure]:
    """Measure bare and with each watcher in turn."""
    for needed in ("stress-ng", "bpftool"):
        if shutil.which(needed) is None:
            reason = f"needs {needed}"
            raise CannotMeasureError(reason)
    watchers = (_PYLOADER_RUN, _counting(_places()))
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    for _ in range(rounds):
        for watcher in (None, *watchers):
            for what, value in _round(watcher).items():
                values[what, watcher.name if watcher else BARE].append(value)
    return [*_costs(values), *_rates(values), *_own(values)]


def _costs(values: dict[tuple[str, str], list[float]]) -> Iterator[Figure]:
    for what in (*ACTS, "getppid"):
        for name in (BARE, _PYLOADER_RUN.name, BPFTRACE):
            yield figure(f"{what}, {name}", "ns", values[what, name])
        for name, base in _COMPARED:
            yield figure(f"{what}, {name} / {base}", "x", ratios(values[what, name], values[what, base]))


def _rates(values: dict[tuple[str, str], list[float]]) -> Iterator[Figure]:
    for what in map(_stressor, STRESSORS):
        for name in (BARE, _PYLOADER_RUN.name, BPFTRACE):
            yield figure(f"{what}, {name}", "1/s", values[what, name])
        for name, base in _COMPARED:
            target = at_least(1) if base == BPFTRACE else None
            yield figure(f"{what}, {name} / {base}", "x", ratios(values[what, name], values[what, base]), target)


def _own(values: dict[tuple[str, str], list[float]]) -> Iterator[Figure]:
    """Yield what only pyloader has, and what disturbed the comparison."""
    for what, unit, target in (
        ("records", "1/s", at_most(1_000)),
        ("records lost", "", at_most(0)),
        ("maps that are rings", "MiB", None),
        ("other maps", "MiB", None),
    ):
        yield figure(what, unit, values[what, _PYLOADER_RUN.name], target)
    yield figure(_OTHERS, "", values[_OTHERS, BARE], at_most(0))


def _round(watcher: Watcher | None) -> _Values:
    cpu = max(os.sched_getaffinity(0))
    found: _Values = {} if watcher else {_OTHERS: _attached()}
    with running(watcher) if watcher else nullcontext() as state:
        for what, (act, count) in ACTS.items():
            found[what] = elapsed("memory_calls", act, count, cpu=cpu) / count
        found["getppid"] = elapsed("getppid", CALLS, cpu=cpu) / CALLS
        for name, options in STRESSORS.items():
            found[_stressor(name)] = _stress(name, options, cpu)
        if watcher is _PYLOADER_RUN and state is not None:
            found |= _maps(state)
    if not watcher:
        found[_OTHERS] = max(found[_OTHERS], _attached())
    if state is not None and not state.reported:
        message = f"{watcher} reported nothing"
        raise RuntimeError(message)
    if watcher is _PYLOADER_RUN and state is not None:
        found |= _records(state)
    return found


def _attached() -> int:
    """Return how many tracing programs are attached on this machine."""
    told = subprocess.run(["bpftool", "--json", "perf", "show"], check=True, capture_output=True, text=True).stdout
    return len(json.loads(told))


def _stressor(name: str) -> str:
    return f"stress-ng {name}"


def _stress(name: str, options: list[str], cpu: int) -> float:
    """Run one stressor on a CPU and return its operations a second; its files are in memory."""
    command = ["taskset", "--cpu-list", str(cpu), "stress-ng", "--temp-path", "/dev/shm", f"--{name}", "1", *options]  # noqa: S108 -- stress-ng makes a folder of its own in it.
    done = subprocess.run(
        [*command, "--timeout", str(SECONDS), "--metrics-brief"],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    told = re.search(rf"\] {name} +(\d+) +([\d.]+) ", done.stdout)
    if told is None:
        message = f"stress-ng told no figures: {done.stdout}"
        raise RuntimeError(message)
    return int(told[1]) / float(told[2])


def _maps(state: Running) -> _Values:
    """Return the size of all maps that a process has open, in MiB."""
    sizes: dict[str, tuple[bool, int]] = {}
    for path in Path(f"/proc/{state.pid}/fdinfo").iterdir():
        told = dict(line.split(":\t") for line in path.read_text().splitlines() if ":\t" in line)
        if "map_id" in told:
            sizes[told["map_id"]] = int(told["map_type"]) == _RINGBUF, int(told["memlock"])
    return {
        name: sum(size for is_ring, size in sizes.values() if is_ring == rings) / 2**20
        for name, rings in (("maps that are rings", True), ("other maps", False))
    }


def _records(state: Running) -> _Values:
    summary = json.loads(state.output.splitlines()[-1])
    return {
        "records": state.reported / (SECONDS * len(STRESSORS)),
        "records lost": float(sum(summary["lost"].values())),
    }


def _kernel_records(output: str, _diagnostics: str) -> int:
    """Return how many records of the kernel the summary tells, of those that have not been written by the sensor."""
    counts = json.loads(output.splitlines()[-1])["records"]
    return sum(counts.get(event_name(record), 0) for record in KERNEL_RECORDS)


def _counted(output: str, _diagnostics: str) -> int:
    return sum(map(int, re.findall(r"^@\[\d+\]: (\d+)$", output, re.MULTILINE)))


_PYLOADER_RUN = Watcher(
    "pyloader run", [*PYLOADER, "run", "--no-state", "--monitors", MEMORY.name, "--format", "json"], _kernel_records
)
_COMPARED = ((_PYLOADER_RUN.name, BARE), (BPFTRACE, BARE), (_PYLOADER_RUN.name, BPFTRACE))


def _counting(places: list[str]) -> Watcher:
    """Return bpftrace with a script that counts by process at these places."""
    return Watcher(BPFTRACE, ["bpftrace", "-e", f"{', '.join(places)} {{ @[pid] = count(); }}"], _counted)


def _places() -> list[str]:
    """Return what the memory monitor hooks on this kernel, as bpftrace names it."""
    with LoadedMonitor(MEMORY, ring_bytes=RING_BYTES) as loaded:
        programs = [program for rung in loaded.rungs.values() for program in rung.programs]
    sections = _sections()
    return [_place(sections[program]) for program in programs if program in sections]


def _sections() -> dict[str, str]:
    """Return the section of each function in the object of the memory monitor."""
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415 -- only this bench needs it.
    from elftools.elf.sections import SymbolTableSection  # noqa: PLC0415 -- likewise.

    file = ELFFile(io.BytesIO(object_file(MEMORY)))
    symbols = file.get_section_by_name(".symtab")
    assert isinstance(symbols, SymbolTableSection)
    return {
        symbol.name: file.get_section(symbol["st_shndx"]).name
        for symbol in symbols.iter_symbols()
        if symbol["st_info"]["type"] == "STT_FUNC"
    }


def _place(section: str) -> str:
    """Return the probe of bpftrace for a section; what the kernel finds by its types has a plain tracepoint, too."""
    kind, _, name = section.partition("/")
    if kind == "tp_btf":
        [folder] = Path("/sys/kernel/tracing/events").glob(f"*/{name}")
        name = f"{folder.parent.name}/{name}"
    kinds = {"tp": "tracepoint", "tp_btf": "tracepoint", "fentry": "kfunc", "fexit": "kretfunc"}
    return f"{kinds.get(kind, kind)}:{name.replace('/', ':')}"
