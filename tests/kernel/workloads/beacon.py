"""Connects again and again, after pauses in seconds: `beacon.py ADDRESS PORT PAUSE...`."""

import socket
import sys
import time

for pause in sys.argv[3:]:
    time.sleep(float(pause))
    with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        connection.recv(100)
