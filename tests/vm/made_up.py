"""Reports as guests might give them, for tests that boot none."""

from tests.vm.judgement import BY_OWN_TYPES, monitors_in
from tests.vm.report import Doctor, Program, Report, Way


def flawless(release: str = "6.1.0-47-cloud-amd64") -> Report:
    """Return the report of a guest in which everything went well."""
    programs = [
        Program(way, monitor.name, hook.name, rung.name, rung.program, instructions=1_000)
        for way in Way
        for monitor in monitors_in(way).values()
        for hook in monitor.hooks
        for rung in hook.rungs
        if rung.program and not (way.by_file and rung.kind in BY_OWN_TYPES)
    ]
    standing: dict[tuple[Way, str, str], Program] = {}
    for program in programs:
        program.chosen = standing.setdefault((program.way, program.monitor, program.hook), program) is program
    return Report(
        release,
        "x86_64",
        programs=programs,
        left_behind={"prog": [], "map": [], "link": []},
        doctors={
            "kernel": Doctor({}, _rungs(programs, Way.RING), "ring"),
            "nowhere": Doctor(
                {"kernel types": "missing", **dict.fromkeys(monitors_in(Way.RING), "not tried")}, {}, None
            ),
            "file": Doctor({}, _rungs(programs, Way.RING_BY_FILE), "ring"),
        },
    )


def _rungs(programs: list[Program], way: Way) -> dict[str, str]:
    return {f"{one.monitor}/{one.hook}": one.rung for one in programs if one.way == way and one.chosen}
