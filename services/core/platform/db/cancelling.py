"""A cancellation is never lost in a failure of the database."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator


@contextlib.asynccontextmanager
async def cancellation_first() -> AsyncIterator[None]:
    """Raise CancelledError for whatever failure ends a block in which the task was cancelled.

    When a connection is lost in the moment of a cancellation, the driver or the rollback may raise the loss instead.
    A caller that retries after a loss would then never end, and the task that cancelled it would wait for ever.
    """
    task = asyncio.current_task()
    # In Python 3.11.2 a task whose task group has failed counts as cancelled for ever: only a new one is meant.
    before = task.cancelling() if task is not None else 0
    try:
        yield
    except Exception as error:
        if task is not None and task.cancelling() > before:
            raise asyncio.CancelledError from error
        raise
