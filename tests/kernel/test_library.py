"""The sensor as other programs embed it: in event loops, beside another sensor, with many consumers, across forks."""

import asyncio
import os
import subprocess
import threading
from pathlib import Path

from pyloader import Assessment, Sensor
from pyloader.engine import InProcess
from pyloader.records import EventLoss, MemoryProtection, NetworkTraffic, ProcessExec, ProcessExit, Record, text
from pyloader.sources import KernelSource
from tests.kernel.acts import act
from tests.kernel.observing import kernel_ids, left_behind, of_type, run


def executed(assessments: list[Assessment], exe: str) -> list[ProcessExec]:
    """Return the executions of one program."""
    return [record for record in of_type(ProcessExec, assessments) if text(record.exe) == exe]


def copied(program: str, folder: Path) -> str:
    """Return a copy of a program, which nobody else on this machine runs."""
    copy = folder / Path(program).name
    copy.write_bytes(Path(program).read_bytes())
    copy.chmod(0o755)
    return str(copy.resolve())


def test_async_for(public_folder: Path) -> None:
    """A program in an event loop sees what it does itself, without a thread, and its loop does other work meanwhile."""
    program = copied("/bin/true", public_folder)
    threads: set[str] = set()

    async def watch() -> list[Record]:
        seen: list[Record] = []
        async with Sensor(["process"]) as sensor:
            worker = asyncio.create_task(work(sensor))
            async for assessment in sensor:
                threads.update(thread.name for thread in threading.enumerate())
                if type(assessment.record) is ProcessExec and text(assessment.record.exe) == program:
                    seen.append(assessment.record)
            await worker
        return seen

    async def work(sensor: Sensor) -> None:
        for _ in range(20):
            process = await asyncio.create_subprocess_exec(program)
            await process.wait()
        sensor.stop()

    assert len(asyncio.run(watch())) == 20
    assert "pyloader" not in threads


def test_async_for_follows_interfaces() -> None:
    """In an event loop, too, the network monitor follows its interfaces, and learns new addresses of this host."""
    address = ["127.0.0.77/32", "dev", "lo"]

    async def watch() -> list[Record]:
        seen: list[Record] = []
        async with Sensor(["network"], interfaces=["lo"]) as sensor:
            run(["ip", "address", "add", *address])
            async for assessment in sensor:
                seen.append(assessment.record)
                if sum(type(record) is NetworkTraffic for record in seen) == 2:
                    sensor.stop()
        return seen

    try:
        seen = asyncio.run(watch())
    finally:
        run(["ip", "address", "delete", *address])

    assert any(type(record) is NetworkTraffic for record in seen)


def test_two_sensors(programs: Path) -> None:
    """Two sensors with different monitors work in one process at once, and each tells what its own sees."""
    before = kernel_ids()
    with Sensor(["process"]) as one, Sensor(["memory"]) as two:
        processes, memory = one.subscribe(), two.subscribe()
        one.start()
        two.start()
        done = act([programs / "executable", "written"])
        one.stop()
        two.stop()
        by_process, by_memory = list(processes), list(memory)

    assert [record.pid for record in executed(by_process, str((programs / "executable").resolve()))] == [done.pid]
    assert done.pid in {record.pid for record in of_type(MemoryProtection, by_memory)}
    assert not of_type(MemoryProtection, by_process)
    assert not of_type(ProcessExec, by_memory)
    assert not any(left_behind(before).values())


def test_a_slow_consumer_costs_nobody_else_anything(public_folder: Path) -> None:
    """A consumer that takes nothing loses records, counted; another one and the kernel lose none."""
    program = copied("/bin/true", public_folder)
    with Sensor(["process"]) as sensor:
        slow = sensor.subscribe(name="slow", capacity=10)
        quick = sensor.subscribe(name="quick")
        sensor.start()
        for _ in range(100):
            run([program])
        sensor.stop()
        everything = list(quick)
        assert sensor.wait(10)
        stats = {one.name: one for one in sensor.stats().consumers}

    assert len(executed(everything, program)) == 100
    assert not of_type(EventLoss, everything)
    assert stats["quick"].dropped == 0
    assert stats["slow"].dropped == len(everything) - 10
    assert len(list(slow)) == 10
    assert sensor.summary().lost == {}


def test_a_fork_leaves_the_monitors_of_its_parent(public_folder: Path) -> None:
    """A forked child that closes its copy of a sensor, and drops all of it, takes nothing from the parent."""
    program = copied("/bin/true", public_folder)
    sensor = Sensor(["process", "memory"])
    with sensor:
        child = os.fork()
        if child == 0:
            sensor.close()
            for monitor in _source_of(sensor).monitors:
                monitor.close()
            os._exit(0)
        os.waitpid(child, 0)
        run([program])
        sensor.stop()
        seen = list(sensor)

    assert len(executed(seen, program)) == 1
    assert child in {record.pid for record in of_type(ProcessExit, seen)}


def _source_of(sensor: Sensor) -> KernelSource:
    engine = sensor._engine  # noqa: SLF001 -- what the interpreter drops, nobody names.
    assert isinstance(engine, InProcess)
    assert isinstance(engine.source, KernelSource)
    return engine.source


def test_a_blocked_sensor_stops_at_once() -> None:
    """`close` ends a sensor whose thread waits for records, and leaves nothing behind."""
    before = kernel_ids()
    sensor = Sensor(["process"])
    subscription = sensor.subscribe()
    sensor.start()
    subprocess.run(["true"], check=True)
    assert subscription.next(timeout=10) is not None
    sensor.close()

    assert not any(left_behind(before).values())
    assert any(type(one.record) is ProcessExec for one in subscription)
