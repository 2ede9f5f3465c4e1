"""The machine that a run was measured on, as far as it explains figures."""

import os
import platform
import subprocess
import sysconfig
from importlib import metadata
from pathlib import Path

from tests.bench.programs import ROOT


def description() -> dict[str, str]:
    """Return what to publish beside figures."""
    return {
        "cpu": _cpu(),
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.1f} GiB",
        "kernel": f"{platform.release()} {platform.machine()}",
        "python": _python(),
        "packages": ", ".join(f"{name} {metadata.version(name)}" for name in ("msgspec", "pyroute2")),
        "pyloader": _revision(),
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine()


def _python() -> str:
    """Tell whether the interpreter was built with profile-guided optimization: it makes it up to twice as fast."""
    optimized = "--enable-optimizations" in str(sysconfig.get_config_var("CONFIG_ARGS"))
    name = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{name}, {'optimized' if optimized else 'not an optimized'} build"


def _revision() -> str:
    try:
        told = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "of unknown revision"
    return told.stdout.strip()
