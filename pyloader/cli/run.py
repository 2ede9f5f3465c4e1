"""`pyloader run`: watch this host."""

import argparse
import gc
import os
import signal
import sys
from contextlib import ExitStack

from pyloader.cli import options
from pyloader.cli.exits import Exit
from pyloader.cli.publishing import Publishing
from pyloader.cli.reload import Outlet, Reloader
from pyloader.cli.show import show
from pyloader.config import Settings
from pyloader.errors import LoadError, NotPermittedError, UnsupportedError
from pyloader.monitors import ON_INTERFACES
from pyloader.samples import SAMPLE
from pyloader.sensor import Sensor

_STOPPING = (signal.SIGINT, signal.SIGTERM)
_HANDLED = (*_STOPPING, signal.SIGHUP)


def add_to(commands: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "run", parents=[common], argument_default=argparse.SUPPRESS, help="watch this host and print alerts"
    )
    options.add_config(parser)
    options.add_output(parser)
    options.add_watching(parser)
    options.add_nats(parser)
    options.add_publishing(parser)
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> Exit:
    """Watch until the duration is over or a signal comes."""
    settings = options.settings(arguments)
    sensor = sensor_of(settings)
    publishing = Publishing(sensor, settings)
    outlet = Outlet(options.sink(settings.output), publishing)
    with ExitStack() as held:
        # A signal that comes while the programs are loaded waits until the sensor can deal with it in good order.
        signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
        try:
            held.enter_context(publishing)
            held.enter_context(sensor)
            reloader = Reloader(sensor, outlet, settings, lambda: options.configuration(arguments).settings)
            held.enter_context(reloader)
            for number in _STOPPING:
                signal.signal(number, lambda *_: sensor.stop())
            signal.signal(signal.SIGHUP, reloader.ask)
        except (NotPermittedError, UnsupportedError, LoadError) as error:
            error.add_note(f"To see pyloader at work without that: pyloader replay {SAMPLE}")
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)
        _say_what_watches(settings)
        # What was made until now stays to the end: the collector need not look at it again.
        gc.freeze()
        return show(sensor, outlet, duration=settings.duration)


def sensor_of(settings: Settings) -> Sensor:
    """Return the sensor that is asked for."""
    return Sensor(
        settings.watching,
        interfaces=settings.interfaces,
        min_score=settings.threshold,
        record_to=settings.output.record,
        ring_bytes=settings.ring_bytes,
        hooks=settings.hooks,
        transport=settings.transport,
        btf=settings.btf,
        instance=settings.instance,
        state_dir=settings.state_folder(os.environ) if settings.state else None,
        needs_state=settings.state_dir is not None,
        score=settings.score,
        workers=settings.workers,
        events=settings.wants_events,
    )


def _say_what_watches(settings: Settings) -> None:
    idle = [name for name in settings.watching if name in ON_INTERFACES and not settings.interfaces]
    for name in idle:
        sys.stderr.write(f"pyloader: {name} is idle: choose an interface with --interface; doctor has them all\n")
    busy = [name for name in settings.watching if name not in idle]
    sys.stderr.write(f"pyloader: watching with {', '.join(busy) or 'nothing'}; stop with Ctrl-C\n")
