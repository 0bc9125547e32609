"""Waiting for what happens in another process: look again until it holds, with a deadline."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable


async def becomes_true(condition: Callable[[], bool | Awaitable[bool]], within_s: float = 60.0) -> None:
    """Wait until a condition holds; TimeoutError if it does not."""
    async with asyncio.timeout(within_s):
        while True:
            holds = condition()
            if await holds if inspect.isawaitable(holds) else holds:
                return
            await asyncio.sleep(0.01)
