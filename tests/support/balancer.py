"""The TCP load balancer in front of a cluster: each connection goes to the next node that takes it, TLS and all."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Final

_CONNECTS_WITHIN_S: Final = 2.0
_READ_BYTES: Final = 65_536


@contextlib.asynccontextmanager
async def balanced(port: int, nodes: Sequence[int]) -> AsyncIterator[None]:
    """Pass every connection to ``port`` on to one of the ports of the nodes for the block."""
    turn = 0
    passing: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal turn
        task = asyncio.current_task()
        assert task is not None
        passing.add(task)
        turn += 1
        try:
            for attempt in range(len(nodes)):
                try:
                    async with asyncio.timeout(_CONNECTS_WITHIN_S):
                        node = await asyncio.open_connection("127.0.0.1", nodes[(turn + attempt) % len(nodes)])
                except (OSError, TimeoutError):
                    continue
                await _pass_on(reader, writer, *node)
                return
        finally:
            passing.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", port, backlog=512)
    try:
        yield
    finally:
        server.close()
        for task in list(passing):
            task.cancel()
        await asyncio.gather(*passing, return_exceptions=True)


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
    node_reader: asyncio.StreamReader, node_writer: asyncio.StreamWriter,
) -> None:  # fmt: skip
    """Copy both ways until one side ends; the other is then closed, as a balancer does when a node dies."""
    ways = [asyncio.create_task(_copy(reader, node_writer)), asyncio.create_task(_copy(node_reader, writer))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        node_writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while content := await reader.read(_READ_BYTES):
            writer.write(content)
            await writer.drain()
