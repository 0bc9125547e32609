"""Recordings in requests and responses."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from fastapi import Request
from starlette.responses import Response

from services.api.forms import read_file
from services.api.ranges import read_range
from services.core.conversation.messages.playback import PlayableAudio
from services.core.platform.audio.rules import MEDIA_TYPE, Form
from services.core.platform.blobs.store import BlobStore

_FORM_FIELD: Final = "audio"


async def read_recording(request: Request) -> bytes:
    """Return the recording in a raw body, or in the field ``audio`` of a form.

    Raises HTTPException 400 for a broken form, FormFieldMissingError.
    """
    return await read_file(request, _FORM_FIELD)


async def audio_response(request: Request, blobs: BlobStore, sound: PlayableAudio) -> Response:
    """Return the recording, or the requested range of it, in the one format that phones play."""
    playable = sound.playable
    etag = f'"{playable.sha256[:32]}"'
    range_header = request.headers.get("range")
    if range_header and request.headers.get("if-range", etag) != etag:
        range_header = None
    span = read_range(range_header, playable.size_bytes)
    start, end = span or (0, playable.size_bytes)
    headers = {
        "accept-ranges": "bytes",
        "etag": etag,
        "content-disposition": 'inline; filename="message.m4a"',
        "cache-control": "private, no-store",
    }
    if span is not None:
        headers["content-range"] = f"bytes {start}-{end - 1}/{playable.size_bytes}"
    content = await blobs.read(playable.blob_id, sound.key, start, end)
    status = HTTPStatus.OK if span is None else HTTPStatus.PARTIAL_CONTENT
    return Response(content, status, headers, MEDIA_TYPE[Form.PHONE])


AUDIO_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPE[Form.PHONE]: {"schema": {"type": "string", "format": "binary"}}}},
    206: {
        "description": "the range asked for",
        "content": {MEDIA_TYPE[Form.PHONE]: {"schema": {"type": "string", "format": "binary"}}},
    },
}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
RECORDING_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "the recording as the phone made it: at most 60 s and 1 MiB",
        "content": {
            "audio/webm": _BINARY,
            "audio/mp4": _BINARY,
            "audio/wav": _BINARY,
            "application/octet-stream": _BINARY,
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["audio"],
                    "properties": {"audio": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}
PART_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": {"application/offset+octet-stream": _BINARY}}}
