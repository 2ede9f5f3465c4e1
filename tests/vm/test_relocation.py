"""One object file fits kernels whose structs differ (CO-RE)."""

from tests.vm.report import Report


def test_the_same_object_reads_fields_that_moved(ends: tuple[Report, Report]) -> None:
    """By the kernels' own type information three fields lie elsewhere, and one object reads them right on both."""
    old, new = ends
    offsets = [{one.field: one.offset for one in report.relocations} for report in ends]

    assert old.objects == new.objects
    assert (
        offsets[0].keys()
        == offsets[1].keys()
        == {f"task_struct.{name}" for name in ("tgid", "real_parent", "start_boottime")}
    )
    assert all(offsets[0][field] != offsets[1][field] for field in offsets[0]), offsets
    assert all(one.read == one.expected for report in ends for one in report.relocations), ends
