"""The application behind the web server: counts in a database, runs small programs for its reports."""

import socket
import subprocess
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Application(BaseHTTPRequestHandler):
    """`ping`, `hello`, `count` (asks redis), `report` (asks df and date), `figures` (takes what agents send)."""

    def do_GET(self) -> None:
        """Answer a question."""
        name = self.path.rsplit("/", 1)[-1]
        if name == "count":
            with socket.create_connection(("127.0.0.1", 6379)) as redis:
                redis.sendall(b"INCR hits\r\n")
                text = redis.recv(100)
        elif name == "report":
            text = subprocess.check_output("df -P | tail -n 1; date", shell=True)  # noqa: S602 -- what it is about
        else:
            text = f"{name} {time.time()}\n".encode()
        self._answer(text)

    def do_POST(self) -> None:
        """Take in figures."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(b"thanks\n")

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, text: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


ThreadingHTTPServer(("127.0.0.1", 8001), Application).serve_forever()
