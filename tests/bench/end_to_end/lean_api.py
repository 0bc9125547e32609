"""Baseline of what phones read: the checks and rows of tests.bench.lean_reads behind a bare server.

python -m tests.bench.end_to_end.lean_api DSN TOKEN_KEY HTTP_PORT
"""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Any

import asyncpg
import uvicorn

from tests.bench.lean_reads import LeanReads


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print("ready", flush=True)


async def main() -> None:
    """Serve until killed."""
    dsn, key, http_port = sys.argv[1:4]
    pool = await asyncpg.create_pool(dsn, min_size=4, max_size=4)

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        async with pool.acquire() as connection:
            await LeanReads(connection, key.encode())(scope, receive, send)

    config = uvicorn.Config(
        app, port=int(http_port), loop="asyncio", http="httptools", lifespan="off", log_level="error", access_log=False
    )
    await _Server(config).serve()


if __name__ == "__main__":
    asyncio.run(main())
