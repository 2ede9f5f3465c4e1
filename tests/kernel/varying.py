"""Packets from as many sources as wanted, made by the kernel (`tests/bench/programs/packets.bpf.c`)."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bpf.build import elf, sources, toolchain
from bpf.build.headers import libbpf_headers
from bpf.build.target import Target
from pyloader.binding import BpfObject, write_numbers
from tests.kernel.packets import run_program

ROOT = Path(__file__).resolve().parents[2]


class Companions:
    """The programs that the network monitor is measured beside, and the one that varies the source."""

    def __init__(self, loaded: BpfObject) -> None:
        self._loaded = loaded

    def program(self, name: str) -> int:
        """Return the descriptor of a program."""
        return self._loaded.program_fd(name)

    def run(self, program_fd: int, frame: bytes, *, number: int, repeat: int) -> int:
        """Run an XDP program on a frame that comes from random ones out of so many sources, a power of two.

        Return the nanoseconds of one run.
        """
        write_numbers(self._loaded.map_fd("measured"), 0, "=I", program_fd)
        write_numbers(self._loaded.map_fd("varied"), 0, "=QQ", 1, number - 1)
        return run_program(self.program("vary"), frame, repeat=repeat)[1]


@contextmanager
def companions() -> Iterator[Companions]:
    """Compile and load the programs. Raises `bpf.build.failure.BuildError` where they cannot be compiled."""
    compiler = toolchain.bpf_compiler()
    headers = libbpf_headers(sources.unpacked()["libbpf"])
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "packets.bpf.o"
        includes = [f"-I{ROOT / 'bpf'}", f"-I{ROOT / 'vmlinux'}", f"-isystem{headers}"]
        flags = ["-mcpu=v3", "-g", "-O2", f"-D{Target.native().bpf_macro}"]
        source = ROOT / "tests" / "bench" / "programs" / "packets.bpf.c"
        compiler.run([*flags, *includes, "-c", "-o", output, source], "compiling packets.bpf.c")
        data = elf.without_debug_sections(output.read_bytes())
    with BpfObject.open(data, "packets") as loaded:
        loaded.load()
        yield Companions(loaded)
