"""pypy3 busy.py SECONDS: loops that the just-in-time compiler takes up, connections to itself, a program at times."""

import socket
import subprocess
import sys
import time


def compute(turn: int) -> int:
    """Return a number that takes a while, by code that is new each time."""
    scope: dict[str, int] = {}
    code = f"total = 0\nfor at in range(20000):\n    total += at % {turn % 7 + 2} * {turn}"
    exec(compile(code, "fresh", "exec"), scope)  # noqa: S102 -- new code is what keeps the compiler busy.
    return scope["total"]


def main(seconds: float) -> None:
    """Work until the time is over."""
    end, turn = time.monotonic() + seconds, 0
    with socket.create_server(("127.0.0.1", 0)) as server:
        while time.monotonic() < end:
            with socket.create_connection(server.getsockname()) as client, server.accept()[0] as accepted:
                client.sendall(str(compute(turn)).encode())
                accepted.recv(64)
            if turn % 20 == 0:
                subprocess.run(["true"], check=True)
            turn += 1
    sys.stdout.write(f"{turn}\n")


main(float(sys.argv[1]))
