"""The other end of a simulated remote shell: sends two commands and ends."""

import socket
import time
from typing import Final

from tests.detection.world import NETWORK

PORT: Final = 12345
COMMANDS: Final = b"id\nexit\n"


def server() -> socket.socket:
    """Return a socket that waits for callers."""
    return socket.create_server((NETWORK, PORT))


def listen(waiting: socket.socket) -> None:
    """Serve one caller."""
    with waiting:
        _serve(waiting.accept()[0])


def call() -> None:
    """Call as soon as somebody waits."""
    for _ in range(100):
        try:
            _serve(socket.create_connection((NETWORK, PORT), timeout=1))
        except OSError:
            time.sleep(0.05)
        else:
            return


def _serve(connection: socket.socket) -> None:
    """Send the commands and read what comes."""
    with connection:
        connection.sendall(COMMANDS)
        connection.settimeout(2)
        try:
            while connection.recv(4096):
                pass
        except OSError:
            pass
