"""The path of a control group tells the container."""

import pytest

from pyloader.host import ContainerTable
from pyloader.host.containers import container_of
from tests.unit.examples import cgroup_record

ID = "4f5c7a1e9b3d" + "0123456789abcdef" * 3 + "4567"
SHORT = ID[:12]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"/docker/{ID}", SHORT),
        (f"/system.slice/docker-{ID}.scope", SHORT),
        (f"/user.slice/user-1000.slice/user@1000.service/user.slice/docker-{ID}.scope", SHORT),
        (f"/default/{ID}", SHORT),
        (f"/system.slice/containerd.service/kubepods-burstable-podab.slice:cri-containerd:{ID}", SHORT),
        (f"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podab.slice/cri-containerd-{ID}.scope", SHORT),
        (f"/kubepods.slice/kubepods-pod1_2.slice/crio-{ID}.scope", SHORT),
        (f"/kubepods/besteffort/pod6e1c5a4f-8f1e-4a0e-9d3a-0a1b2c3d4e5f/{ID}", SHORT),
        (f"/machine.slice/libpod-{ID}.scope", SHORT),
        (f"/machine.slice/libpod-{ID}.scope/container", SHORT),
        ("/lxc.payload.web", "web"),
        ("/lxc.payload/web", "web"),
        ("/lxc/web", "web"),
        ("/lxc.payload.web/system.slice/nginx.service", "web"),
        ("/", ""),
        ("", ""),
        ("/user.slice/user-1000.slice/session-3.scope", ""),
        ("/system.slice/docker.service", ""),
        ("/system.slice/containerd.service", ""),
        ("/lxc.monitor.web", ""),
        (f"/system.slice/{ID}0.scope", ""),
        (f"/system.slice/{ID[:63]}.scope", ""),
        (f"/system.slice/{ID.upper()}.scope", ""),
    ],
)
def test_container_of_a_path(path: str, expected: str) -> None:
    """Each runtime's way to name control groups leads to the container, and other groups to none."""
    assert expected == container_of(path)


@pytest.mark.parametrize(
    "path",
    [f"/machine.slice/libpod-conmon-{ID}.scope", f"/kubepods.slice/kubepods-pod1.slice/crio-conmon-{ID}.scope"],
)
def test_supervisor_of_a_container(path: str) -> None:
    """The process that supervises a container from outside is not in it."""
    assert container_of(path) == ""


def test_table() -> None:
    """A control group's container is known from its announcement on."""
    table = ContainerTable()

    assert table.get(7) == ""
    table.seen(cgroup_record(f"/docker/{ID}".encode()))
    assert table.get(7) == SHORT


def test_number_that_is_used_again() -> None:
    """A later announcement of the same number replaces the earlier one."""
    table = ContainerTable(capacity=1)
    table.seen(cgroup_record(b"/lxc/one"))
    table.seen(cgroup_record(b"/lxc/two"))

    assert table.get(7) == "two"
    assert table.evicted == 0


def test_full_table_gives_up_the_oldest() -> None:
    """At most `capacity` control groups are known; the first that came leaves first and is counted."""
    table = ContainerTable(capacity=2)
    for number in range(5):
        table.seen(cgroup_record(f"/lxc/{number}".encode(), cgroup=number))

    assert [table.get(number) for number in range(5)] == ["", "", "", "3", "4"]
    assert table.evicted == 3
