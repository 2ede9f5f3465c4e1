"""A NATS server of a test's own: on a free port of loopback, with JetStream in a folder of the test's."""

import socket
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_READY: Final = "Server is ready"
_PATIENCE: Final = 30.0

_SYNCED: Final = "sync_interval: always"


class NatsServer:
    """A server that can be killed and started again, on the same port and with the same folder."""

    def __init__(self, folder: Path, *, more: str = "", jetstream: bool = True) -> None:
        """Prepare one. `more` is further configuration, as for accounts or TLS."""
        self.folder = folder
        self.port = _free_port()
        self.log: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        self._drain: threading.Thread | None = None
        self._file = folder / "server.conf"
        self._is_jetstream = jetstream
        self.configure(more)

    def configure(self, more: str) -> None:
        """Exchange the further configuration, from the next start on."""
        lines = [f"host: 127.0.0.1\nport: {self.port}", more]
        if self._is_jetstream:
            store = f'store_dir: "{self.folder / "store"}"'
            self._write([*lines, f"jetstream {{ {store}, {_SYNCED} }}"])
            if not self._is_valid():
                # Servers before 2.10 do not know the word; killed by a signal, they lose nothing without it.
                self._write([*lines, f"jetstream {{ {store} }}"])
        else:
            self._write(lines)

    @property
    def url(self) -> str:
        """Its address."""
        return f"nats://127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether it was started and neither killed nor stopped."""
        return self._process is not None

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        self._process = subprocess.Popen(
            ["nats-server", "-c", str(self._file)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        ready = threading.Event()
        self._drain = threading.Thread(target=self._follow, args=(self._process, ready), daemon=True)
        self._drain.start()
        if not ready.wait(_PATIENCE) or self._process.poll() is not None:
            self.kill()
            raise AssertionError("".join(self.log))

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._end(kill=True)

    def stop(self) -> None:
        """End it in good order."""
        self._end(kill=False)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()

    def _end(self, *, kill: bool) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if kill:
            process.kill()
        else:
            process.terminate()
        process.wait()
        if self._drain is not None:
            self._drain.join()
        if process.stderr is not None:
            process.stderr.close()

    def _follow(self, process: "subprocess.Popen[str]", ready: threading.Event) -> None:
        if process.stderr is not None:
            for line in process.stderr:
                self.log.append(line)
                if _READY in line:
                    ready.set()
        ready.set()

    def _write(self, lines: list[str]) -> None:
        self._file.write_text("\n".join(lines) + "\n")
        self._file.chmod(0o600)

    def _is_valid(self) -> bool:
        return (
            subprocess.run(["nats-server", "-t", "-c", str(self._file)], capture_output=True, check=False).returncode
            == 0
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
