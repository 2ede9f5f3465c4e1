"""What is decided about an object's maps and constants before it is loaded."""

import mmap
import struct

from pyloader.binding import BpfObject
from pyloader.monitors.transport import Transport

RINGS = ("vital", "common")
"""In the order in which they are read: the rare and valuable records first."""

SAMPLES = "samples"
"""The map of the perf buffer."""

SETTINGS = ".rodata.settings"

SETTINGS_LAYOUT = "=II32sI"
"""`struct settings` in bpf/settings.bpf.h: perf buffer, generation, SHA-256 of the object file, bytes of a page."""


def prepare(
    loaded: BpfObject, *, transport: Transport, ring_bytes: int, generation: int = 0, object_digest: bytes = b""
) -> None:
    """Choose the transport, size the rings, and set the constants of the programs."""
    perf = transport is Transport.PERF
    loaded.set_constants(SETTINGS, struct.pack(SETTINGS_LAYOUT, perf, generation, object_digest, mmap.PAGESIZE))
    for ring in RINGS:
        if perf:
            loaded.leave_out_map(ring)
        else:
            loaded.resize_map(ring, ring_bytes)
    if not perf:
        loaded.leave_out_map(SAMPLES)
