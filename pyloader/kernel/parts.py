"""What the package itself brings, against the machine that it is to run on."""

from pyloader.binding import library
from pyloader.errors import ArchitectureError, LibraryError
from pyloader.kernel.finding import Finding
from pyloader.kernel.host import Host

ARCHITECTURES = ("x86_64", "aarch64")


def machine(host: Host) -> Finding:
    """Return which kernel runs, and whether there are programs and a library for its machine."""
    detail = f"Linux {host.release} on {host.machine}"
    if host.machine in ARCHITECTURES:
        return Finding("kernel", detail)
    return Finding(
        "kernel",
        detail,
        ArchitectureError(
            f"{host.machine} is not supported: run pyloader on {' or '.join(ARCHITECTURES)}, with a 64-bit kernel"
        ),
    )


def bundled_library(_host: Host) -> Finding:
    """Return whether the bundled libbpf can be used."""
    try:
        version = library().libbpf_version_string().decode()
    except LibraryError as error:
        return Finding("libbpf", "cannot be used", error)
    return Finding("libbpf", version)
