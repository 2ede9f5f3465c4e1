"""The other end of a simulated remote shell: sends two commands and ends.

usage: peer.py listen|call
"""

# ruff: noqa: S104 - the network is that of a throw-away container

import socket
import sys
import time
from pathlib import Path

PORT = 12345
ADDRESS = "203.0.113.9"
COMMANDS = b"id\nexit\n"


def listen() -> None:
    """Wait for one caller."""
    with socket.create_server(("0.0.0.0", PORT)) as server:
        Path("/job/ready").touch()
        serve(server.accept()[0])


def call() -> None:
    """Call as soon as somebody waits."""
    for _ in range(100):
        try:
            serve(socket.create_connection((ADDRESS, PORT), timeout=1))
        except OSError:
            time.sleep(0.05)
        else:
            return


def serve(connection: socket.socket) -> None:
    """Send the commands and read what comes."""
    with connection:
        connection.sendall(COMMANDS)
        connection.settimeout(2)
        try:
            while connection.recv(4096):
                pass
        except OSError:
            pass


if __name__ == "__main__":
    {"listen": listen, "call": call}[sys.argv[1]]()
