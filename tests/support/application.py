"""The API on a test's database, with routes that are declared once in a process."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from fastapi import FastAPI

from services.api.app import connect, declare_routes
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings

_idle: list[FastAPI] = []


@contextlib.contextmanager
def application(settings: Settings, database: Database) -> Iterator[FastAPI]:
    """Yield the API on a database for the block.

    Declaring the routes takes half a second of a processor: an application that another block has left is connected
    anew, as `create_app` connects a new one.
    """
    app = _idle.pop() if _idle else declare_routes()
    app.user_middleware.clear()
    app.middleware_stack = None
    yield connect(app, settings, database)
    _idle.append(app)
