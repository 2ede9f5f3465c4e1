"""Network interfaces, and how each would bear an XDP program."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from pyloader.kernel import Level
from pyloader.kernel.interfaces import Interface, interfaces, judged
from tests.unit.kernel.conftest import MakeHost


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        ("loopback", "XDP costs local connections"),
        ("veth", "XDP can cost the containers behind it"),
        ("bond", "watch its members"),
        ("virtio_net", "ethtool -K eth0 lro off"),
        ("bridge", "no native XDP"),
        ("wireguard", "no native XDP"),
    ],
)
def test_kinds_that_bear_xdp_badly(kind: str, advice: str) -> None:
    """Where XDP costs much or may be refused, that is told before anybody tries."""
    finding = judged(Interface("eth0", kind, up=True))

    assert (finding.level, finding.detail) == (Level.ADVICE, f"{kind}, up, XDP: no program")
    assert advice in finding.advice


@pytest.mark.parametrize("driver", ["ixgbe", "mlx5_core", ""])
def test_network_cards(driver: str) -> None:
    """An ordinary network card is fine."""
    finding = judged(Interface("eth0", driver, up=False))

    assert (finding.level, finding.detail) == (Level.OK, f"{driver or 'unknown driver'}, down, XDP: no program")


def test_program_that_is_there_already() -> None:
    """A program that somebody else attached is told with its id and how to remove it."""
    finding = judged(Interface("eth0", "ixgbe", up=True, xdp_mode="native", xdp_id=17))

    assert (finding.level, finding.detail) == (Level.ADVICE, "ixgbe, up, XDP: program 17 attached (native)")
    assert finding.advice.endswith("ip link set dev eth0 xdp off")


class _Attributes:
    """A netlink message as pyroute2 gives it."""

    def __init__(self, flags: int = 0, **attributes: object) -> None:
        self._flags, self._attributes = flags, attributes

    def __getitem__(self, name: str) -> int:
        assert name == "flags"
        return self._flags

    def get_attr(self, name: str) -> Any:  # noqa: ANN401 -- as in pyroute2.
        """Return an attribute, or `None`."""
        return self._attributes.get(name)


class _Route:
    """A kernel with four interfaces."""

    def get_links(self) -> list[_Attributes]:
        """Return them."""
        nothing = _Attributes(IFLA_XDP_ATTACHED=None)
        return [
            _Attributes(0x49, IFLA_IFNAME="lo", IFLA_XDP=nothing),
            _Attributes(
                0x43, IFLA_IFNAME="eth0", IFLA_XDP=_Attributes(IFLA_XDP_ATTACHED="xdpgeneric", IFLA_XDP_PROG_ID=17)
            ),
            _Attributes(0x02, IFLA_IFNAME="veth1", IFLA_LINKINFO=_Attributes(IFLA_INFO_KIND="veth"), IFLA_XDP=nothing),
            _Attributes(0x02, IFLA_IFNAME="odd"),
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass


def test_what_the_kernel_tells(monkeypatch: pytest.MonkeyPatch, make_host: MakeHost) -> None:
    """Kind, driver, state and program of each interface are read from netlink and /sys."""
    monkeypatch.setattr("pyroute2.IPRoute", _Route)
    host = make_host()
    driver = host.path("/sys/class/net/eth0/device/driver")
    driver.parent.mkdir(parents=True)
    driver.symlink_to(Path("../../../bus/virtio/drivers/virtio_net"))

    assert interfaces(host) == [
        Interface("lo", "loopback", up=True),
        Interface("eth0", "virtio_net", up=True, xdp_mode="generic", xdp_id=17),
        Interface("veth1", "veth", up=False),
        Interface("odd", "", up=False),
    ]
