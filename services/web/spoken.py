"""Recordings of the consent texts that an operator provides, for parents who would rather hear than read.

A folder holds files such as ``messages-1-vi.mp3``: subject, version of the text, language. A file whose version is no
longer the current one is simply not asked for.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

_NAME: Final = re.compile(
    r"(messages|location|sos_places|measurement|childs_word)-[0-9.]{1,10}-(en|zh-Hans|vi|tr)\.(mp3|m4a|ogg)"
)
_TYPES: Final = {".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".ogg": "audio/ogg"}


def recordings_in(folder: Path | None) -> dict[str, Path]:
    """Return the recordings of a folder by name; without a folder there are none."""
    if folder is None or not folder.is_dir():
        return {}
    return {path.name: path for path in sorted(folder.iterdir()) if _NAME.fullmatch(path.name) and path.is_file()}


def routes() -> list[Route]:
    """Return the list of recordings and the recordings themselves; both are open, like the texts."""
    return [
        Route("/web/spoken.json", _names, name="recordings of consent texts"),
        Route("/web/spoken/{name}", _recording, name="recording of a consent text"),
    ]


async def _recordings(request: Request) -> dict[str, Path]:
    return await run_in_threadpool(recordings_in, request.app.state.settings.consent_recordings)


async def _names(request: Request) -> Response:
    return JSONResponse(sorted(await _recordings(request)), headers={"cache-control": "no-cache"})


async def _recording(request: Request) -> Response:
    path = (await _recordings(request)).get(request.path_params["name"])
    if path is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    # Asked for again each time: an operator may replace a recording.
    return FileResponse(path, media_type=_TYPES[path.suffix], headers={"cache-control": "no-cache"})
