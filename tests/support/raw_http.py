"""Connections to a served API on which a test writes its own bytes."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import uvicorn

DEADLINE_S = 60.0


class RawConnection:
    """One connection, on which nothing has been sent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, *parts: bytes) -> None:
        """Send bytes; the server, which runs in the same loop, may read each part before the next."""
        for part in parts:
            self._writer.write(part)
            await self._writer.drain()
            await asyncio.sleep(0)

    async def head(self) -> bytes:
        """Return the status line and the headers of the next answer."""
        async with asyncio.timeout(DEADLINE_S):
            return await self._reader.readuntil(b"\r\n\r\n")

    async def answer(self) -> tuple[int, dict[str, object]]:
        """Return the status and the JSON of the next answer."""
        head = await self.head()
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        async with asyncio.timeout(DEADLINE_S):
            body = await self._reader.readexactly(int(lengths[0].split(b":")[1]))
        return int(head.split()[1]), json.loads(body)

    async def is_closed(self) -> bool:
        """Wait until the server has closed the connection; False if it has not within a minute."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await self._reader.read(1) == b""
        except ConnectionError:
            # Closed with bytes unread, as the kernel tells the sender.
            return True
        except TimeoutError:
            return False

    def abort(self) -> None:
        """Close at once, whatever is on its way."""
        self._writer.transport.abort()


Connect = Callable[[], Awaitable[RawConnection]]


@contextlib.asynccontextmanager
async def raw_connections(server: uvicorn.Server) -> AsyncIterator[Connect]:
    """Yield what opens a connection to a server; all are closed after the block."""
    port = server.servers[0].sockets[0].getsockname()[1]
    opened: list[RawConnection] = []

    async def connect() -> RawConnection:
        connection = RawConnection(*await asyncio.open_connection("127.0.0.1", port))
        opened.append(connection)
        return connection

    yield connect
    for connection in opened:
        connection.abort()
