"""What the kernel can do, found out by trying."""

import pytest

from pyloader.binding import can_call_helper, can_create_map, can_load_program
from pyloader.binding.probe import HELPER_KTIME_GET_COARSE_NS, MAP_RINGBUF, PROGRAM_TRACING


class _FakeLibbpf:
    """A kernel that gives one answer to every probe."""

    def __init__(self, answer: int | OSError) -> None:
        self._answer = answer

    def libbpf_probe_bpf_map_type(self, kind: int, options: None) -> int:
        """Answer whether a ring buffer can be created."""
        assert (kind, options) == (27, None)
        return self._give()

    def libbpf_probe_bpf_prog_type(self, kind: int, options: None) -> int:
        """Answer whether a tracing program can be loaded."""
        assert (kind, options) == (26, None)
        return self._give()

    def libbpf_probe_bpf_helper(self, kind: int, helper: int, options: None) -> int:
        """Answer whether a tracing program can ask for the coarse time."""
        assert (kind, helper, options) == (26, 160, None)
        return self._give()

    def _give(self) -> int:
        if isinstance(self._answer, OSError):
            raise self._answer
        return self._answer


@pytest.mark.parametrize(("answer", "expected"), [(1, True), (0, False), (OSError(1, "Operation not permitted"), None)])
def test_probes(monkeypatch: pytest.MonkeyPatch, answer: int | OSError, expected: object) -> None:
    """A probe answers yes, no, or that it cannot be found out."""
    monkeypatch.setattr("pyloader.binding.probe.library", lambda: _FakeLibbpf(answer))

    assert expected is can_create_map(MAP_RINGBUF)
    assert expected is can_load_program(PROGRAM_TRACING)
    assert expected is can_call_helper(PROGRAM_TRACING, HELPER_KTIME_GET_COARSE_NS)
