"""Voice messages of a parent: send one, hear one, keep one."""

from __future__ import annotations

from typing import Any

from pydantic.dataclasses import dataclass

from services.device_sim.parent.http import Download, ParentHttp
from services.device_sim.parent.outbox import Outbox
from services.device_sim.parent.records import Message, Unheard
from services.device_sim.parent.store import ParentStore


@dataclass(frozen=True)
class _UnheardOfAll:
    children: list[Unheard]


class ParentVoice:
    """Voice messages of a parent: `parent.voice`."""

    def __init__(self, http: ParentHttp, store: ParentStore, outbox: Outbox) -> None:
        self._http = http
        self._store = store
        self._outbox = outbox

    async def speak(self, child_id: str, sound: bytes, media_type: str, *, timeout_s: float = 30.0) -> Message:
        """Send a recording; it is stored until it is answered, see `send`."""
        kept = self._store.keep_recording(child_id, sound, media_type, in_parts=False)
        return await self._outbox.send_until_answered(kept, timeout_s)

    async def speak_in_parts(self, child_id: str, sound: bytes, media_type: str, *, timeout_s: float = 30.0) -> Message:
        """Send a recording in parts: received parts are never sent again, also after a restart (`send_waiting`)."""
        kept = self._store.keep_recording(child_id, sound, media_type, in_parts=True)
        return await self._outbox.send_until_answered(kept, timeout_s)

    async def hear(self, child_id: str, message_id: str, *, timeout_s: float = 30.0) -> bytes:
        """Return a voice message as phones play it (M4A); continues where a lost connection stopped.

        Does not mark it as played: `mark` does. Raises ProblemError, or ServerAwayError after `timeout_s`.
        """
        read = Download()
        path = f"/v1/children/{child_id}/messages/{message_id}/audio"
        await self._outbox.until_answered(lambda: self._http.read_on(path, read), timeout_s)
        return bytes(read.content)

    async def keep(self, child_id: str, message_id: str, *, kept: bool = True) -> Message:
        """Keep a voice message beyond its retention period, or stop keeping it."""
        path = f"/v1/children/{child_id}/messages/{message_id}/kept"
        body: dict[str, Any] = {"kept": kept}
        return await self._http.ask_for(Message, "PUT", path, body=body)

    async def unread(self) -> list[Unheard]:
        """Return the number of unread and unplayed messages of each child."""
        return (await self._http.ask_for(_UnheardOfAll, "GET", "/v1/unread")).children
