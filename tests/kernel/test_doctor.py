"""`pyloader doctor` on this machine: what it tells is so."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyloader.monitors import MONITORS, ON_INTERFACES
from tests.kernel.privileges import NOBODY, pyloader_as, without


def report(done: "subprocess.CompletedProcess[str]") -> Any:  # noqa: ANN401 -- JSON.
    """Return the report of a doctor that printed JSON, and nothing else."""
    assert done.stderr == ""
    return json.loads(done.stdout)


def found(told: Any, subject: str) -> dict[str, str]:  # noqa: ANN401 -- JSON.
    """Return what was found of one subject."""
    (finding,) = [one for one in told["host"] if one["subject"] == subject]
    return dict(finding)


def interface(told: Any, name: str) -> dict[str, Any]:  # noqa: ANN401 -- JSON.
    """Return what was found of one interface."""
    (finding,) = [one for one in told["interfaces"] if one["name"] == name]
    return dict(finding)


@pytest.mark.parametrize("command", [[], without("sys_admin")], ids=["root", "CAP_BPF and CAP_PERFMON"])
def test_where_every_monitor_runs(command: list[str]) -> None:
    """The code is 0, no finding is a problem, and every hook of every monitor stands on a rung that it has."""
    done = pyloader_as(command, "doctor", "--format", "json")

    told = report(done)
    assert (done.returncode, told["ok"]) == (0, True)
    assert "problem" not in {finding["level"] for finding in told["host"]}
    monitors = MONITORS | ON_INTERFACES
    assert list(monitors) == [monitor["name"] for monitor in told["monitors"]]
    for shown in told["monitors"]:
        ladders = {hook.name: [rung.name for rung in hook.rungs] for hook in monitors[shown["name"]].hooks}
        assert list(ladders) == [hook["hook"] for hook in shown["hooks"]]
        for hook in shown["hooks"]:
            above = ladders[hook["hook"]][: ladders[hook["hook"]].index(hook["rung"])]
            assert above == [refused["rung"] for refused in hook["refused"]]


def test_text_and_json_agree() -> None:
    """Both forms tell the same subjects in the same order, and what is not ok says what to do."""
    lines = pyloader_as([], "doctor").stdout.splitlines()
    told = report(pyloader_as([], "doctor", "--format", "json"))

    findings = [
        *((one["level"], one["subject"]) for one in told["host"]),
        *((one["level"], f"interface {one['name']}") for one in told["interfaces"]),
        *((one["level"], f"monitor {one['name']}") for one in told["monitors"]),
    ]
    shown = [line.partition(": ")[0].split(None, 1) for line in lines if not line.startswith(" ")]
    assert [list(one) for one in findings] == shown
    everything = (*told["host"], *told["interfaces"], *told["monitors"])
    assert [one for one in everything if (one["level"] == "ok") is bool(one["advice"])] == []


def test_as_nobody() -> None:
    """An ordinary user gets the whole report: the missing right is the problem, and nothing is tried."""
    done = pyloader_as(NOBODY, "doctor", "--format", "json")

    told = report(done)
    assert (done.returncode, told["ok"]) == (3, False)
    assert [one["subject"] for one in told["host"] if one["level"] == "problem"] == ["capabilities"]
    assert "use sudo" in found(told, "capabilities")["advice"]
    assert {"not tried"} == {monitor["detail"] for monitor in told["monitors"]}
    assert interface(told, "lo")["kind"] == "loopback"


def test_without_network_rights() -> None:
    """Without CAP_NET_ADMIN all monitors that need no interface run; what is lost is advice."""
    done = pyloader_as(without("net_admin"), "doctor", "--format", "json")

    told = report(done)
    assert done.returncode == 0
    assert found(told, "network rights")["level"] == "advice"


def test_file_systems_that_are_not_mounted() -> None:
    """Without tracefs and bpffs the commands that mount them are told; BTF tracepoints need neither."""
    folders = "/sys/kernel/tracing /sys/kernel/debug /sys/fs/bpf"
    # Something may be mounted on one of them more than once.
    script = f"for folder in {folders}; do while umount -lq $folder; do :; done; done"
    done = pyloader_as(["unshare", "--mount", "sh", "-c", f'{script}; exec "$@"', "sh"], "doctor", "--format", "json")

    told = report(done)
    assert found(told, "tracefs")["advice"].endswith("mount -t tracefs tracefs /sys/kernel/tracing")
    assert found(told, "bpffs")["advice"].endswith("mount -t bpf bpf /sys/fs/bpf")


@pytest.fixture(name="veth")
def _veth(tmp_path: Path) -> Iterator[list[str]]:
    """Return the command that enters a network namespace with a pair of virtual interfaces."""
    name = f"pyloader-{tmp_path.name[-20:]}"
    inside = ["ip", "netns", "exec", name]
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run([*inside, "ip", "link", "add", "one", "type", "veth", "peer", "name", "two"], check=True)
        subprocess.run([*inside, "ip", "link", "set", "one", "up"], check=True)
        # `ip netns exec` makes a /sys of its own, in which nothing of the kernel's is mounted.
        yield [*inside, "sh", "-c", 'mount -t tracefs tracefs /sys/kernel/tracing; exec "$@"', "sh"]
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


def test_interfaces(veth: list[str]) -> None:
    """Interfaces are told by kind and state, and that XDP is no good idea on virtual pairs and loopback."""
    told = report(pyloader_as(veth, "doctor", "--format", "json"))

    one, two, loopback = (interface(told, name) for name in ("one", "two", "lo"))
    assert (one["kind"], one["up"], one["xdp"]) == ("veth", True, None)
    assert (two["kind"], two["up"], two["xdp"]) == ("veth", False, None)
    assert loopback["kind"] == "loopback"
    assert {"advice"} == {finding["level"] for finding in (one, two, loopback)}


def test_a_foreign_xdp_program(veth: list[str], tmp_path: Path) -> None:
    """A program that somebody else put on an interface is told with its id, and how to remove it."""
    source, program = tmp_path / "pass.c", tmp_path / "pass.o"
    source.write_text('__attribute__((section("xdp"), used)) int pass(void *context) { return 2; }\n')
    subprocess.run(["clang", "-target", "bpf", "-O2", "-c", source, "-o", program], check=True)
    attach = f"ip link set dev one xdpgeneric obj {program} sec xdp"

    told = report(pyloader_as([*veth[:-2], f'{attach}; exec "$@"', "sh"], "doctor", "--format", "json"))

    finding = interface(told, "one")
    assert (finding["level"], finding["xdp"]) == ("advice", "generic")
    assert f"program {finding['xdp_id']} attached" in finding["detail"]
    assert "ip link set dev one xdp off" in finding["advice"]
