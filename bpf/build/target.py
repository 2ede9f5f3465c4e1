"""The two architectures that wheels are built for."""

import enum
import os
import platform
from pathlib import Path

from bpf.build.failure import BuildError
from bpf.build.layout import PACKAGE, WORK

ENVIRONMENT_VARIABLE = "PYLOADER_TARGET_ARCH"


class Target(enum.Enum):
    """An architecture, named as `uname -m` and wheel tags name it."""

    X86_64 = "x86_64"
    AARCH64 = "aarch64"

    @classmethod
    def named(cls, name: str) -> "Target":
        """Return the target called `name`; raise BuildError for an architecture without a build."""
        try:
            return cls(name)
        except ValueError:
            known = ", ".join(target.value for target in cls)
            message = f"architecture {name!r} is not supported: set {ENVIRONMENT_VARIABLE} to one of {known}"
            raise BuildError(message) from None

    @classmethod
    def native(cls) -> "Target":
        """Return the architecture of this machine."""
        return cls.named(platform.machine())

    @classmethod
    def wanted(cls) -> "Target":
        """Return the architecture that the environment asks for, this machine's when it asks for none."""
        return cls.named(os.environ.get(ENVIRONMENT_VARIABLE) or platform.machine())

    @property
    def is_native(self) -> bool:
        """Whether the outputs run on this machine."""
        return self is Target.native()

    @property
    def bpf_macro(self) -> str:
        """The macro by which libbpf's `bpf_tracing.h` learns the register layout."""
        return {Target.X86_64: "__TARGET_ARCH_x86", Target.AARCH64: "__TARGET_ARCH_arm64"}[self]

    @property
    def library_triple(self) -> str:
        """The library's compiler target; glibc 2.17 is the floor of manylinux2014."""
        return f"{self.value}-linux-gnu.2.17"

    @property
    def wheel_tag(self) -> str:
        """Any CPython 3 on manylinux2014: the wheel holds no extension module, only data for ctypes."""
        return f"py3-none-manylinux2014_{self.value}"

    @property
    def output(self) -> Path:
        """The folder that gets `objects/` and `lib/`: the package itself for this machine's architecture."""
        return PACKAGE if self.is_native else WORK / self.value
