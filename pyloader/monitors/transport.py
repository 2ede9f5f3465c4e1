"""How records come from the kernel."""

from enum import StrEnum

from pyloader.binding import can_create_map
from pyloader.binding.probe import MAP_RINGBUF


class Transport(StrEnum):
    """The two ways."""

    RING = "ring"
    """BPF ring buffers: one order per ring, whatever the CPU; Linux 5.8 and newer."""
    PERF = "perf"
    """A perf buffer per CPU, for older kernels."""


def best_transport() -> Transport:
    """Return the transport for this kernel: rings unless it surely has none."""
    return Transport.PERF if can_create_map(MAP_RINGBUF) is False else Transport.RING
