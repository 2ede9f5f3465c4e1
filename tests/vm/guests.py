"""The guests of this checkout: each series of kernels booted once, with the wheel that `make wheel` built."""

import fnmatch
import functools
import hashlib
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from tests.vm import initramfs, machine
from tests.vm.archive import Archive, ArchiveError, contents
from tests.vm.kernels import Series, packages_of
from tests.vm.report import Report

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".build" / "vm"
MATRIX_FILE = FOLDER / "matrix.json"

_DEPENDENCIES = ("msgspec", "pyroute2")
_IMAGES = ("boot/vmlinuz-*", "usr/lib/modules/*/vmlinuz")
"""Where packages keep the kernel: the old place and the new."""

_SOURCES = ROOT / "tests/kernel/programs"
_PROGRAMS = ("executable", "fault", "nothing", "origin", "reach", "target")
"""C programs of the kernel tests that guests run."""
_LIBC = "linux-gnu.2.31"
"""What they are linked against: it is not newer than the guests' own."""

_TRIES = 3
"""How many packages of a series are tried, the newest first."""


BOOTED: dict[Series, Report] = {}
"""The reports so far."""


@functools.cache
def report(series: Series) -> Report:
    """Return the report of the newest kernel of a series, booted at the first call."""
    found = machine.boot(series.architecture, _kernel(series), _file_system(series.architecture))
    BOOTED[series] = found
    return found


def _kernel(series: Series) -> Path:
    """Return the image of the newest kernel of a series that can be had: a mirror may lack what its lists promise."""
    archive = Archive(FOLDER / "debian")
    complaints: list[str] = []
    for package in packages_of(series, archive.names())[:_TRIES]:
        image = FOLDER / "kernels" / package
        try:
            if not image.exists():
                _write(image, _image_in(archive, package, series.architecture))
        except ArchiveError as error:
            complaints.append(str(error))
        else:
            return image
    message = "\n".join([f"no kernel of series {series.version} for {series.architecture} can be had:", *complaints])
    raise ArchiveError(message)


def _image_in(archive: Archive, package: str, architecture: str) -> bytes:
    (file,) = archive.fetch([package], architecture)
    with contents(file) as members:
        images = [
            data
            for member, data in members
            if any(fnmatch.fnmatchcase(member.name.removeprefix("./"), pattern) for pattern in _IMAGES)
        ]
    archive.forget(file)
    if len(images) != 1:
        message = f"{package} holds {len(images)} kernels instead of one"
        raise ArchiveError(message)
    return images[0]


def _file_system(architecture: str) -> Path:
    """Return an initramfs with the wheel as it is now."""
    packages = Archive(FOLDER / "debian").fetch(initramfs.PACKAGES, architecture)
    recipe = hashlib.sha256(Path(initramfs.__file__).read_bytes()).hexdigest()[:8]
    userland = FOLDER / f"userland-{architecture}-{recipe}.cpio"
    if not userland.exists():
        for stale in FOLDER.glob(f"userland-{architecture}-*"):
            stale.unlink()
        _write(userland, initramfs.userland(packages))
    (wheel,) = (ROOT / "dist").glob(f"pyloader_ebpf-*_{architecture}.whl")
    shared = [ROOT / "tests/vm/report.py", ROOT / "tests/kernel/acts.py"]
    modules = [*shared, *sorted((ROOT / "tests/vm/guest").rglob("*.py"))]
    guest = [(str(module.relative_to(ROOT)), module.read_bytes()) for module in modules]
    whole = FOLDER / f"initramfs-{architecture}.cpio"
    wheels = [wheel, *_dependencies(architecture)]
    _write(whole, userland.read_bytes() + initramfs.product(wheels, guest, _programs(architecture)))
    return whole


def _programs(architecture: str) -> list[Path]:
    """Return the C programs of the kernel tests, built for the guest."""
    sources = [_SOURCES / f"{name}.c" for name in _PROGRAMS]
    texts = [source.read_bytes() for source in (*sources, *sorted(_SOURCES.glob("*.h")))]
    digest = hashlib.sha256(b"".join(texts)).hexdigest()[:8]
    folder = FOLDER / "programs" / f"{architecture}-{digest}"
    partial = folder.with_suffix(".partial")
    if not folder.exists():
        partial.mkdir(parents=True, exist_ok=True)
        for source in sources:
            _compile(source, partial / source.stem, architecture)
        partial.rename(folder)
    return sorted(folder.iterdir())


def _compile(source: Path, program: Path, architecture: str) -> None:
    """Build a C program, as its first line wants it; zig has the libraries of every machine, and undoes no fault."""
    flags = source.read_text().partition("\n")[0].partition("/* flags: ")[2].split()
    compiler = [sys.executable, "-m", "ziglang", "cc", "-target", f"{architecture}-{_LIBC}"]
    options = ["-O1", "-pthread", "-fno-sanitize=all", "-s", *flags]
    caches = dict.fromkeys(("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"), str(ROOT / ".build" / "zig"))
    subprocess.run([*compiler, *options, str(source), "-o", str(program)], check=True, env=os.environ | caches)


def _dependencies(architecture: str) -> list[Path]:
    """Return the wheels that pyloader needs, for the guest's Python, in the versions that the other tests use."""
    wanted = [f"{name}=={metadata.version(name)}" for name in _DEPENDENCIES]
    folder = FOLDER / "wheels" / f"{architecture}-{'-'.join(wanted)}"
    if not folder.exists():
        platforms = [f"--platform={name}_{architecture}" for name in ("manylinux2014", "manylinux_2_28")]
        version = initramfs.PYTHON.removeprefix("python")
        download = [sys.executable, "-m", "pip", "download", "-qq", "--only-binary=:all:", "--no-deps", *platforms]
        partial = folder.with_suffix(".partial")
        subprocess.run([*download, f"--python-version={version}", f"--dest={partial}", *wanted], check=True)
        partial.rename(folder)
    return sorted(folder.glob("*.whl"))


def _write(file: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    partial.write_bytes(data)
    partial.rename(file)
