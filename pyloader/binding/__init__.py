"""The only user of ctypes: libbpf, as far as pyloader needs it.

`library` finds and declares the bundled libbpf, `log` captures what it prints, `handle` owns C pointers, `objects`
loads programs and maps, `ring` reads records in batches, `counters` reads and sets numbers in maps, `pins` names
them in bpffs, `found` finds those that are in the kernel already.
"""

from pyloader.binding.counters import PerCpuArray, drop_entry, put_entry, read_keys, read_numbers, write_numbers
from pyloader.binding.found import open_map_of, open_program, program_ids
from pyloader.binding.library import library
from pyloader.binding.objects import BpfObject, Link
from pyloader.binding.pins import Descriptor, MapInfo, ProgramInfo, map_info, open_pinned, pin, program_info
from pyloader.binding.probe import can_call_helper, can_create_map, can_load_program
from pyloader.binding.ring import Batch, PerfReader, Reader, RingReader, create_ring

__all__ = [
    "Batch",
    "BpfObject",
    "Descriptor",
    "Link",
    "MapInfo",
    "PerCpuArray",
    "PerfReader",
    "ProgramInfo",
    "Reader",
    "RingReader",
    "can_call_helper",
    "can_create_map",
    "can_load_program",
    "create_ring",
    "drop_entry",
    "library",
    "map_info",
    "open_map_of",
    "open_pinned",
    "open_program",
    "pin",
    "program_ids",
    "program_info",
    "put_entry",
    "read_keys",
    "read_numbers",
    "write_numbers",
]
