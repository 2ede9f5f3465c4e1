"""One reader at a time.

Two readers of one ring would each get a part of the records, and two unpinned sensors would tell everything twice. The
name of an instance is held as the name of an abstract Unix socket: the kernel gives it free with the process, however
that ends, and tells who holds it. Network namespaces have names of their own.
"""

import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager

from pyloader.errors import BusyError

_PAUSE = 0.02


@contextmanager
def only_one(instance: str, *, patience: float = 0.0) -> Iterator[None]:
    """Hold the name of an instance, after waiting up to `patience` seconds for whoever holds it.

    Raises `BusyError` that names the process that has it.
    """
    import socket  # noqa: PLC0415 -- takes longer to import than all of this package's binding.

    address = f"\0pyloader/{instance}"
    deadline = time.monotonic() + patience
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as holder:
        while True:
            try:
                holder.bind(address)
                break
            except OSError:
                if time.monotonic() < deadline:
                    time.sleep(_PAUSE)
                    continue
            message = (
                f"pyloader is at work already as {instance!r}{_process(address)};"
                " stop it, or give this one a name of its own: --instance NAME"
            )
            raise BusyError(message)
        holder.listen(1)
        yield


def _process(address: str) -> str:
    """Return which process holds an address, for a message."""
    import socket  # noqa: PLC0415 -- as above.

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        # Nobody accepts: who calls when the queue is full would wait for ever.
        caller.setblocking(False)  # noqa: FBT003 -- the standard library's order.
        try:
            caller.connect(address)
            credentials = caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("=3i"))
        except OSError:
            return ""
    pid: int = struct.unpack("=3i", credentials)[0]
    return f" (pid {pid})" if pid != os.getpid() else " in this process"
