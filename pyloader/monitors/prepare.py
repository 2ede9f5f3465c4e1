"""What is decided about an object's maps and constants before it is loaded."""

import mmap
import struct
from collections.abc import Mapping, Sequence

from pyloader.binding import BpfObject, Descriptor, put_entry
from pyloader.monitors.transport import Transport
from pyloader.records import TAG_LIMIT

RINGS = ("vital", "common")
"""In the order in which they are read: the rare and valuable records first."""

LANE_RINGS = ("vital_lanes", "common_lanes", "other_lanes")
"""The maps that hold a ring for each of several lanes; the last one is for copies, of processes alone."""

SAMPLES = "samples"
"""The map of the perf buffer."""

SETTINGS = ".rodata.settings"

SETTINGS_LAYOUT = "=II32sII"
"""`struct settings` in bpf/settings.bpf.h: perf buffer, generation, SHA-256 of the object file, page size, lanes."""

LaneRings = Mapping[str, Sequence[Descriptor]]
"""A ring for each lane, by the name of the map that holds them."""


def prepare(
    loaded: BpfObject, *, transport: Transport, ring_bytes: int, generation: int = 0, object_digest: bytes = b""
) -> None:
    """Choose the transport, size the rings, and set the constants of the programs."""
    perf = transport is Transport.PERF
    settings = struct.pack(SETTINGS_LAYOUT, perf, generation, object_digest, mmap.PAGESIZE, 1)
    loaded.set_constants(SETTINGS, settings)
    for lanes in LANE_RINGS:
        if lanes in loaded.maps():
            loaded.leave_out_map(lanes)
    for ring in RINGS:
        if perf:
            loaded.leave_out_map(ring)
        else:
            loaded.resize_map(ring, ring_bytes)
    if not perf:
        loaded.leave_out_map(SAMPLES)


def prepare_lanes(loaded: BpfObject, rings: LaneRings, lanes: int) -> None:
    """Let the programs share out records among several lanes, with these rings."""
    loaded.set_constants(SETTINGS, struct.pack(SETTINGS_LAYOUT, 0, 0, b"", mmap.PAGESIZE, lanes))
    for left_out in (*RINGS, SAMPLES):
        loaded.leave_out_map(left_out)
    for name, of_lanes in rings.items():
        loaded.resize_map(name, lanes)
        loaded.hold_maps_like(name, of_lanes[0].fileno())
    for counts in ("tallies", "reported"):
        loaded.resize_map(counts, TAG_LIMIT * lanes)


def fill_lanes(loaded: BpfObject, rings: LaneRings) -> None:
    """Put the rings where the programs look for them, before the first is attached."""
    for name, of_lanes in rings.items():
        for lane, ring in enumerate(of_lanes):
            put_entry(loaded.map_fd(name), struct.pack("=I", lane), struct.pack("=I", ring.fileno()))
