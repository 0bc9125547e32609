"""The statements that a test has sent to Postgres, by whichever way."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any
from unittest.mock import patch

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import Engine

from services.core.platform.db.database import UnitOfWork

# Where the statements of the block are noted; tasks that were started before the block have no such place.
_noted_in: ContextVar[list[str] | None] = ContextVar("noted_in", default=None)


@contextlib.contextmanager
def statements() -> Iterator[list[str]]:
    """Yield the statements that are sent within the block; one for many rows is one. BEGIN and COMMIT are not there.

    Of the block itself and of the tasks it starts: what else runs in this process, such as the loops of a bridge that
    an earlier test has left, is not counted.
    """
    sent: list[str] = []
    fetch = UnitOfWork._fetch  # noqa: SLF001 - what fetches and what reads pass it, in a transaction or not

    def note(statement: str) -> None:
        noted = _noted_in.get()
        if noted is not None:
            noted.append(statement)

    def before_execute(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        note(statement)

    async def noted_fetch(work: UnitOfWork, statement: str, arguments: tuple[Any, ...]) -> list[asyncpg.Record]:
        note(statement)
        return await fetch(work, statement, arguments)

    event.listen(Engine, "before_cursor_execute", before_execute)
    token = _noted_in.set(sent)
    try:
        with patch.object(UnitOfWork, "_fetch", noted_fetch):
            yield sent
    finally:
        _noted_in.reset(token)
        event.remove(Engine, "before_cursor_execute", before_execute)
    assert sent, "Nothing was counted: the statements were sent by a task that was started before the block."
