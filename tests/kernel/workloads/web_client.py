"""Connects to a web server: `web_client.py ADDRESS PORT TIMES TOGETHER`."""

import asyncio
import sys


async def visit(address: str, port: int, times: int) -> None:
    """Ask so many times, one after the other."""
    for _ in range(times):
        reader, writer = await asyncio.open_connection(address, port)
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        await reader.read()
        writer.close()


async def main(address: str, port: str, times: str, together: str) -> None:
    """Let so many clients ask at once."""
    await asyncio.gather(*[visit(address, int(port), int(times)) for _ in range(int(together))])


asyncio.run(main(*sys.argv[1:]))
