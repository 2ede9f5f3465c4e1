"""`pyloader run`: watch this host."""

import argparse
import gc
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

from pyloader.cli import options
from pyloader.cli.exits import Exit
from pyloader.cli.show import show
from pyloader.errors import LoadError, NotPermittedError, UnsupportedError
from pyloader.monitors import MONITORS, ON_INTERFACES, Transport
from pyloader.samples import SAMPLE
from pyloader.sensor import Sensor
from pyloader.sources.live import RING_BYTES

_STOPPING = (signal.SIGINT, signal.SIGTERM)


def add_to(commands: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("run", parents=[common], help="watch this host and print alerts")
    parser.add_argument(
        "--monitors",
        type=_monitors,
        metavar="NAME[,NAME…]",
        help=f"which monitors to run, of: {', '.join([*MONITORS, *ON_INTERFACES])}; default: all that can",
    )
    parser.add_argument(
        "--interface",
        action="append",
        type=options.interface,
        default=[],
        metavar="IF",
        help="an interface for the network monitor, as often as wanted; without any it is idle",
    )
    options.add_output(parser)
    parser.add_argument("--duration", type=options.seconds, metavar="SECONDS", help="stop after this time")
    parser.add_argument("--record", type=Path, metavar="FILE", help="keep every raw record for `pyloader replay`")
    options.add_state(parser)
    options.add_instance(parser)
    parser.add_argument("--hooks", metavar="KIND", help="force a kind of hook, such as tp; default: the best that hold")
    parser.add_argument(
        "--transport", type=Transport, choices=list(Transport), help="how records come; default: ring if there is one"
    )
    options.add_ring_bytes(parser, RING_BYTES)
    options.add_btf(parser)
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> Exit:
    """Watch until the duration is over or a signal comes."""
    monitors = arguments.monitors or [*MONITORS, *(ON_INTERFACES if arguments.interface else ())]
    sensor = Sensor(
        monitors,
        interfaces=arguments.interface,
        min_score=arguments.min_score,
        record_to=arguments.record,
        ring_bytes=arguments.ring_bytes,
        hooks=arguments.hooks,
        transport=arguments.transport,
        btf=arguments.btf,
        instance=arguments.instance,
        state_dir=None if arguments.no_state else options.state_folder(arguments),
        needs_state=arguments.state_dir is not None,
    )
    with ExitStack() as held:
        # A signal that comes while the programs are loaded waits until the sensor can stop in good order.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
        try:
            held.enter_context(sensor)
            for number in _STOPPING:
                signal.signal(number, lambda *_: sensor.stop())
        except (NotPermittedError, UnsupportedError, LoadError) as error:
            error.add_note(f"To see pyloader at work without that: pyloader replay {SAMPLE}")
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
        for name in monitors:
            if name in ON_INTERFACES and not arguments.interface:
                sys.stderr.write(
                    f"pyloader: {name} is idle: choose an interface with --interface; doctor has them all\n"
                )
        busy = [name for name in monitors if name not in ON_INTERFACES or arguments.interface]
        sys.stderr.write(f"pyloader: watching with {', '.join(busy) or 'nothing'}; stop with Ctrl-C\n")
        # What was made until now stays to the end: the collector need not look at it again.
        gc.freeze()
        return show(sensor, options.sink(arguments), duration=arguments.duration)


def _monitors(text: str) -> list[str]:
    """Parse a list of monitors."""
    return list(dict.fromkeys(map(options.watching, text.split(","))))
