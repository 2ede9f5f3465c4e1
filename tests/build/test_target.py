"""Both architectures are named, tagged and placed as the rest of the world expects."""

import platform

import pytest

from bpf.build.failure import BuildError
from bpf.build.target import Target


def test_environment_selects(monkeypatch: pytest.MonkeyPatch) -> None:
    """`PYLOADER_TARGET_ARCH` selects the architecture; unset or empty means this machine's."""
    monkeypatch.setenv("PYLOADER_TARGET_ARCH", "aarch64")
    assert Target.wanted() is Target.AARCH64

    monkeypatch.setenv("PYLOADER_TARGET_ARCH", "")
    assert Target.wanted() is Target.native()


def test_unknown_architecture_is_an_error() -> None:
    """An architecture without a build is refused, and the error lists those that have one."""
    with pytest.raises(BuildError, match=r"'riscv64' is not supported: .* one of x86_64, aarch64"):
        Target.named("riscv64")


@pytest.mark.parametrize("target", Target)
def test_wheel_tag(target: Target) -> None:
    """Wheels are for any CPython 3 on manylinux2014."""
    assert target.wheel_tag == f"py3-none-manylinux2014_{target.value}"


def test_native_output_is_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only this machine's architecture is built into the package."""
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")

    assert Target.AARCH64.output.name == "pyloader"
    assert Target.X86_64.output.name == "x86_64"
