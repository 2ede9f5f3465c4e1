"""The only user of ctypes: libbpf, as far as pyloader needs it.

`library` finds and declares the bundled libbpf, `log` captures what it prints, `handle` owns C pointers, `objects`
loads programs and maps, `ring` reads records in batches, `counters` reads per-CPU arrays.
"""

from pyloader.binding.counters import PerCpuArray
from pyloader.binding.library import library
from pyloader.binding.objects import BpfObject, Link
from pyloader.binding.probe import can_create_map, can_load_program
from pyloader.binding.ring import Batch, PerfReader, Reader, RingReader

__all__ = [
    "Batch",
    "BpfObject",
    "Link",
    "PerCpuArray",
    "PerfReader",
    "Reader",
    "RingReader",
    "can_create_map",
    "can_load_program",
    "library",
]
