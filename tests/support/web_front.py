"""The API in this process with pages that change while it runs, as an update of the server changes them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.api.app import create_app
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from services.web.serving import Pages
from tests.support.ports import claimed_ports


@dataclass
class Front:
    """The address, and the pages that it serves now."""

    url: str
    pages: Pages

    async def answer(self, request: Request) -> Response:
        """Answer a page or a file of one as the pages of now do."""
        for route in self.pages.routes():
            match, scope = route.matches(request.scope)
            if match.value:
                request.scope.update(scope)
                answer: Response = await route.endpoint(request)
                return answer
        return Response(status_code=404)


@contextlib.asynccontextmanager
async def running_front(settings: dict[str, Any], database: Database, folder: Path) -> AsyncIterator[Front]:
    """Serve the API with the pages of a folder."""
    with claimed_ports() as claim_port:
        port = claim_port()
        url = f"http://127.0.0.1:{port}"
        app = create_app(Settings.model_validate({**settings, "public_url": url}), database)
        front = Front(url, Pages(folder))
        paths = [route.path for route in front.pages.routes()]
        app.router.routes[:0] = [Route(path, front.answer) for path in paths]
        # The stream of a phone ends with the server.
        config = uvicorn.Config(app, port=port, log_level="error", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - the server has no event
            await asyncio.sleep(0.05)
        try:
            yield front
        finally:
            server.should_exit = True
            await serving
