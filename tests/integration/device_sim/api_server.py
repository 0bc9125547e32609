"""The API on a real socket, and parents who are logged in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import uvicorn

from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from services.device_sim.parent.parent import SimParent
from tests.support.application import application
from tests.support.http import code_in, enrol_family, new_phone, sms_to


class Server:
    """The API on a port of its own, which a test can take away and bring back."""

    def __init__(self, settings: Settings, database: Database, port: int) -> None:
        self._settings = settings
        self._database = database
        self.port = port
        self.url = f"http://127.0.0.1:{self.port}"
        self._application = contextlib.ExitStack()
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        config = uvicorn.Config(
            self._application.enter_context(application(self._settings, self._database)),
            port=self.port,
            log_config=None,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._task = asyncio.create_task(self._server.serve())
        async with asyncio.timeout(60):
            while not self._server.started:  # noqa: ASYNC110 - uvicorn tells by this flag and nothing else
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
            self._server = None
            self._application.close()


async def log_in(parent: SimParent, database: Database, phone: str) -> None:
    await parent.request_code(phone)
    await parent.log_in(phone, code_in((await sms_to(database, phone))[-1]))


@contextlib.asynccontextmanager
async def mother_of(server: Server, database: Database, folder: Path) -> AsyncIterator[tuple[SimParent, str]]:
    """A parent with consent and a child, and the child's id."""
    phone = new_phone()
    await enrol_family(database, phone)
    async with SimParent(server.url, folder) as parent:
        await log_in(parent, database, phone)
        family = (await parent.me()).families[0]
        await parent.family.consent(family.family_id)
        child = await parent.family.create_child(family.family_id, "Mei", 2017)
        yield parent, child.child_id
