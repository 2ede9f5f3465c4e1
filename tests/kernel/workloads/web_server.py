"""Answers every request on a port of all addresses: `web_server.py PORT`."""

import asyncio
import sys
from contextlib import suppress


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request and end the connection."""
    with suppress(OSError):
        await reader.readline()
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nhello")
        await writer.drain()
    writer.close()


async def main(port: int) -> None:
    """Serve until the end."""
    async with await asyncio.start_server(answer, "", port, backlog=1_000) as server:
        await server.serve_forever()


asyncio.run(main(int(sys.argv[1])))
