"""The page and what it asks for, as an ASGI application for one person on this computer.

Whoever can reach loopback is not trusted: other users of the computer, and pages of other sites in the same browser.
A request needs this computer's own name in Host (a name that resolves to loopback later is refused), no foreign Origin,
and, beyond the files of the page, the secret of this run, which the page takes from the fragment of its address.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

from pydantic import ValidationError

from services.device_sim.screen.actions import carry_out
from services.device_sim.screen.desk import Desk, NoPowerError
from services.device_sim.screen.wire_log import Entry
from services.device_sim.sound import SoundRefusedError
from services.device_sim.watch.records import WatchRefusedError

BUILT: Final = Path(__file__).parents[2] / "web" / "built" / "watch"
ADDRESS: Final = "/watch"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_PAGE_HEADERS: Final = {
    "content-security-policy": POLICY,
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
    "cross-origin-opener-policy": "same-origin",
    "x-robots-tag": "noindex",
}
_ALWAYS: Final = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
# A minute of a browser's recording at 128 kbit/s is 1 MB.
_SOUND_MAX_BYTES: Final = 4 * 1024 * 1024
_ACTION_MAX_BYTES: Final = 1024
# Quiet hours and the clock change without an event.
_LOOK_EVERY_S: Final = 1.0

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class _RefusedError(Exception):
    def __init__(self, status: HTTPStatus, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


class Page:
    """The application. `hosts` are the values of Host that name this server; `secret` admits to the watch."""

    def __init__(self, desk: Desk, secret: str, hosts: frozenset[str], folder: Path = BUILT) -> None:
        self._desk = desk
        self._secret = secret.encode()
        self._hosts = hosts
        self._files = {path.name: path.read_bytes() for path in sorted(folder.glob("*")) if path.is_file()}
        self._ended = asyncio.Event()

    def end_streams(self) -> None:
        """End every open stream, so that the server can stop."""
        self._ended.set()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            self._check_origin(headers)
            await self._answer(scope, headers, receive, send)
        except _RefusedError as refused:
            await _say(send, refused.status, {"code": refused.code})
        except NoPowerError:
            await _say(send, HTTPStatus.CONFLICT, {"code": "no_power"})
        except WatchRefusedError:
            await _say(send, HTTPStatus.CONFLICT, {"code": "watch_refused"})
        except SoundRefusedError:
            await _say(send, HTTPStatus.UNPROCESSABLE_ENTITY, {"code": "sound_refused"})
        except TimeoutError:
            await _say(send, HTTPStatus.SERVICE_UNAVAILABLE, {"code": "watch_busy"})
        except (KeyError, ValidationError):
            await _say(send, HTTPStatus.UNPROCESSABLE_ENTITY, {"code": "unknown_action"})

    def _check_origin(self, headers: dict[str, str]) -> None:
        host = headers.get("host", "")
        if host not in self._hosts:
            raise _RefusedError(HTTPStatus.MISDIRECTED_REQUEST, "foreign_host")
        is_foreign = headers.get("origin", f"http://{host}") != f"http://{host}"
        if is_foreign or headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
            raise _RefusedError(HTTPStatus.FORBIDDEN, "foreign_origin")

    async def _answer(self, scope: Message, headers: dict[str, str], receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        if method == "GET" and path in {"/", ADDRESS}:
            await self._send_file(send, "watch.html", _PAGE_HEADERS)
            return
        if method == "GET" and path.startswith("/web/"):
            await self._send_file(send, path.removeprefix("/web/"), {})
            return
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(token.encode(), self._secret):
            raise _RefusedError(HTTPStatus.UNAUTHORIZED, "secret_wrong")
        match method, path.split("/")[1:]:
            case "GET", ["api", "live"]:
                await self._live(receive, send)
            case "GET", ["api", "sounds", ref]:
                sound = await self._desk.sound(ref)
                if sound is None:
                    raise _RefusedError(HTTPStatus.NOT_FOUND, "sound_gone")
                await _respond(send, HTTPStatus.OK, sound, {"content-type": "audio/wav"})
            case "POST", ["api", "recordings"]:
                query = parse_qs(scope["query_string"].decode("latin-1"))
                await self._desk.record(query.get("to", [""])[0], await _body(receive, _SOUND_MAX_BYTES))
                await _say(send, HTTPStatus.OK, {})
            case "POST", ["api", "do"]:
                await carry_out(self._desk, await _body(receive, _ACTION_MAX_BYTES))
                await _say(send, HTTPStatus.OK, {})
            case _:
                raise _RefusedError(HTTPStatus.NOT_FOUND, "not_found")

    async def _send_file(self, send: Send, name: str, headers: dict[str, str]) -> None:
        body = self._files.get(name)
        if body is None:
            raise _RefusedError(HTTPStatus.NOT_FOUND, "not_found")
        media_type = _TYPES.get(Path(name).suffix, "application/octet-stream")
        await _respond(send, HTTPStatus.OK, body, {"content-type": media_type, **headers})

    async def _live(self, receive: Receive, send: Send) -> None:
        """Stream the state of the watch and the lines of its log until the page goes away."""
        stream = _Stream(self._desk)
        gone = asyncio.create_task(_until_gone(receive))
        ended = asyncio.create_task(self._ended.wait())
        try:
            await send(_start(HTTPStatus.OK, {"content-type": "text/event-stream"}))
            while not gone.done() and not ended.done():
                block = stream.news()
                if block:
                    await send({"type": "http.response.body", "body": block, "more_body": True})
                news = asyncio.create_task(stream.changed.wait())
                await asyncio.wait({gone, ended, news}, timeout=_LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
            if not gone.done():
                await send({"type": "http.response.body", "body": b""})
        finally:
            stream.close()
            gone.cancel()
            ended.cancel()
            await asyncio.gather(gone, ended, return_exceptions=True)


class _Stream:
    """What one page has not been told yet."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._state_sent = ""
        self._entries: dict[int, Entry] = {entry.number: entry for entry in desk.log.entries()}
        self.changed = asyncio.Event()
        desk.listeners.append(self.changed.set)
        desk.log.listeners.append(self._take)

    def close(self) -> None:
        self._desk.listeners.remove(self.changed.set)
        self._desk.log.listeners.remove(self._take)

    def _take(self, entry: Entry) -> None:
        self._entries[entry.number] = entry
        self.changed.set()

    def news(self) -> bytes:
        """Return what is new as server-sent events; empty: nothing is."""
        self.changed.clear()
        blocks = []
        state = json.dumps(self._desk.view(), ensure_ascii=False)
        if state != self._state_sent:
            self._state_sent = state
            blocks.append(f"event: state\ndata: {state}\n\n")
        if self._entries:
            entries, self._entries = self._entries, {}
            lines = json.dumps([entry.as_json() for entry in entries.values()], ensure_ascii=False)
            blocks.append(f"event: log\ndata: {lines}\n\n")
        return "".join(blocks).encode()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _body(receive: Receive, max_bytes: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "incomplete")
        body += message.get("body", b"")
        if len(body) > max_bytes:
            raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")
        if not message.get("more_body"):
            return bytes(body)


def _start(status: HTTPStatus, headers: dict[str, str]) -> Message:
    sent = [(name.encode(), value.encode()) for name, value in {**_ALWAYS, **headers}.items()]
    return {"type": "http.response.start", "status": int(status), "headers": sent}


async def _respond(send: Send, status: HTTPStatus, body: bytes, headers: dict[str, str]) -> None:
    await send(_start(status, {"content-length": str(len(body)), **headers}))
    await send({"type": "http.response.body", "body": body})


async def _say(send: Send, status: HTTPStatus, fields: dict[str, str]) -> None:
    await _respond(send, status, json.dumps(fields).encode(), {"content-type": "application/json"})
