"""What the kernel can do, and what is said where it cannot."""

import resource

import pytest

from pyloader.binding.probe import MAP_ARRAY, MAP_RINGBUF
from pyloader.errors import OldKernelError
from pyloader.kernel import Level
from pyloader.kernel.features import can_use_bpf, counted_limit, locked_memory, program_kinds, ring_buffer
from tests.unit.kernel.conftest import Kernel, MakeHost

BOTH = {"/proc/self/status": "CapEff:\t000000c000000000\n"}
"""A process with CAP_BPF and CAP_PERFMON alone."""


@pytest.mark.parametrize(("answer", "usable"), [(True, True), (False, False), (None, False)])
def test_bpf_is_usable_if_an_array_is(able: Kernel, answer: object, usable: object) -> None:
    """Whether bpf(2) works is found out with the plainest map."""
    able.maps[MAP_ARRAY] = answer  # type: ignore[assignment]

    assert usable is can_use_bpf()


def test_kernel_without_tracepoint_programs(make_host: MakeHost, able: Kernel) -> None:
    """A kernel on which the last rung of every ladder is missing is too old, and the message says what is not."""
    able.programs = False
    problem = program_kinds(make_host()).problem

    assert isinstance(problem, OldKernelError)
    assert "5.4.0-custom" in str(problem)
    assert "CONFIG_BPF_EVENTS=y" in str(problem)
    assert str(problem).endswith("use Linux 5.8 or newer")


@pytest.mark.parametrize("answer", [True, None])
def test_kernel_with_tracepoint_programs(make_host: MakeHost, able: Kernel, answer: object) -> None:
    """What has them, or does not tell, is no problem."""
    able.programs = answer  # type: ignore[assignment]

    assert program_kinds(make_host()).level is Level.OK


def test_kernel_without_ring_buffer(make_host: MakeHost, able: Kernel) -> None:
    """Without ring buffers the other transport is told, and stops nothing."""
    able.maps[MAP_RINGBUF] = False
    finding = ring_buffer(make_host())

    assert finding.level is Level.ADVICE
    assert finding.detail == "none: records come through perf buffers, one for each CPU"


def test_kernel_with_ring_buffer(make_host: MakeHost) -> None:
    """Ring buffers are told."""
    assert ring_buffer(make_host()) == ("ring buffer", "available", None, "")


@pytest.mark.parametrize(
    ("helpers", "limit", "counted"),
    [(True, 65_536, None), (None, 65_536, None), (False, 65_536, 65_536), (False, resource.RLIM_INFINITY, None)],
)
def test_limit_on_locked_memory(able: Kernel, helpers: object, limit: int, counted: int | None) -> None:
    """The limit counts only on kernels that lack the helper which came with control groups' accounting."""
    able.helpers, able.locked_memory = helpers, (limit, limit)  # type: ignore[assignment]

    assert counted == counted_limit()


def test_locked_memory_on_an_old_kernel(make_host: MakeHost, able: Kernel) -> None:
    """Where maps count as locked memory, the capability that raises the limit is named."""
    able.helpers = False
    finding = locked_memory(make_host(BOTH))

    assert (finding.level, finding.detail) == (Level.ADVICE, "limited to 65536 bytes")
    assert "grant CAP_SYS_RESOURCE, or ulimit -l unlimited" in finding.advice


def test_locked_memory_that_can_be_raised(make_host: MakeHost, able: Kernel) -> None:
    """Who may raise the limit has nothing to do."""
    able.helpers = False

    assert locked_memory(make_host()).level is Level.OK


def test_locked_memory_on_a_new_kernel(make_host: MakeHost) -> None:
    """Newer kernels count maps elsewhere."""
    assert locked_memory(make_host(BOTH)).detail == "no limit counts"
