"""The newest kernel of a series is found among Debian's packages, and one that has gone is named."""

import pytest

from tests.vm.kernels import KernelMissingError, Series, packages_of

PACKAGES = (
    "linux-binary-6.19.14+deb13-cloud-amd64",
    "linux-binary-7.3.4+deb13-cloud-amd64",
    "linux-image-5.10.0-46-cloud-amd64-dbg",
    "linux-image-5.10.0-9-cloud-amd64",
    "linux-image-5.10.0-46-cloud-amd64",
    "linux-image-5.10.0-47-amd64",
    "linux-image-6.1-cloud-amd64",
    "linux-image-6.1.0-0.deb11.52-cloud-amd64",
    "linux-image-6.1.0-47-cloud-amd64",
    "linux-image-6.12.117+deb13-cloud-amd64",
    "linux-image-6.12.117+deb13-cloud-amd64-unsigned",
    "linux-image-6.12.118+deb13-cloud-arm64",
    "linux-image-6.19.14+deb13-cloud-amd64",
)


@pytest.mark.parametrize(
    ("version", "architecture", "package"),
    [
        ("5.10", "x86_64", "linux-image-5.10.0-46-cloud-amd64"),
        ("6.1", "x86_64", "linux-image-6.1.0-47-cloud-amd64"),
        ("6.12", "x86_64", "linux-image-6.12.117+deb13-cloud-amd64"),
        ("6.12", "aarch64", "linux-image-6.12.118+deb13-cloud-arm64"),
        ("6.x", "x86_64", "linux-binary-6.19.14+deb13-cloud-amd64"),
        ("7.x", "x86_64", "linux-binary-7.3.4+deb13-cloud-amd64"),
    ],
)
def test_the_newest_of_a_series_is_chosen(version: str, architecture: str, package: str) -> None:
    """Versions are compared as numbers, and only signed images for the right architecture count."""
    assert package == packages_of(Series(version, architecture), PACKAGES)[0]


def test_the_next_newest_follows() -> None:
    """Behind the newest stand the others by their numbers; a backport to an older release counts less."""
    numbers = [package.removeprefix("linux-image-6.1.0-") for package in packages_of(Series("6.1", "x86_64"), PACKAGES)]

    assert numbers == ["47-cloud-amd64", "0.deb11.52-cloud-amd64"]


def test_a_series_that_has_gone_is_named() -> None:
    """When Debian has dropped a series, the error says which one and what to do."""
    with pytest.raises(KernelMissingError, match=r"series 5\.4 for x86_64.*MATRIX"):
        packages_of(Series("5.4", "x86_64"), PACKAGES)
