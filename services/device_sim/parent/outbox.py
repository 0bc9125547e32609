"""A parent's outbox: stored messages are sent until they are answered, whatever the network does."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from services.device_sim.parent.http import ParentHttp
from services.device_sim.parent.records import Message, Upload
from services.device_sim.parent.store import ParentStore
from services.device_sim.parent.types import ProblemError, ServerAwayError, Waiting
from services.device_sim.watch.timings import backoff_s

T = TypeVar("T")
RETRY_FIRST_S = 0.2
RETRY_MAX_S = 5.0
# Refusals that pass by themselves; every other refusal of a message is final.
_PASSING = frozenset({401, 408, 425, 429})
_SERVER_FAULT = 500
_NOT_FOUND = 404
# The answer to a part that does not fit states where to continue.
_GO_ON = frozenset({"upload_offset_differs", "upload_unfinished", "upload_hash_differs"})
# Bytes that arrive wrong again and again are not the network's fault.
_WRONG_MAX = 3


class Outbox:
    """Sends stored messages and recordings until the backend has answered."""

    def __init__(self, http: ParentHttp, store: ParentStore, random_source: random.Random) -> None:
        self._http = http
        self._store = store
        self._random = random_source

    async def send_until_answered(self, kept: Waiting, timeout_s: float) -> Message:
        """Send a stored message until it is answered, then delete it; raises the final problem or the last failure."""
        try:
            message = await self.until_answered(lambda: self._send_kept(kept), timeout_s)
        except ProblemError as error:
            if _is_final(error):
                self._store.forget_message(kept.key)
            raise
        self._store.forget_message(kept.key)
        return message

    async def until_answered(self, ask: Callable[[], Awaitable[T]], timeout_s: float) -> T:
        """Repeat a request until it is answered; raises the last problem once it is final or the time is over."""
        end = asyncio.get_running_loop().time() + timeout_s
        attempt = 0
        while True:
            try:
                return await ask()
            except ProblemError as error:
                if _is_final(error):
                    raise
                problem: ProblemError | ServerAwayError = error
                wait_s = float(error.fields.get("retry_after_s", 0))
            except ServerAwayError as error:
                problem, wait_s = error, 0.0
            wait_s = max(wait_s, backoff_s(attempt, RETRY_FIRST_S, RETRY_MAX_S, self._random))
            attempt += 1
            if asyncio.get_running_loop().time() + wait_s > end or self._store.session() is None:
                raise problem
            await asyncio.sleep(wait_s)

    async def _send_kept(self, kept: Waiting) -> Message:
        key = {"Idempotency-Key": kept.key}
        if kept.media_type is None:
            path = f"/v1/children/{kept.child_id}/messages"
            return await self._http.ask_for(Message, "POST", path, body=kept.body, headers=key)
        sound = self._store.waiting_sound(kept.key)
        if kept.in_parts:
            return await self._send_in_parts(kept, sound)
        headers = {**key, "Content-Type": kept.media_type}
        path = f"/v1/children/{kept.child_id}/voice-messages"
        return await self._http.ask_for(Message, "POST", path, content=sound, headers=headers)

    async def _send_in_parts(self, kept: Waiting, sound: bytes) -> Message:
        """Send the part that the server lacks. The server states where it begins, also to a restarted phone.

        The key finds the upload again; an upload that has expired is begun anew.
        """
        path = f"/v1/children/{kept.child_id}/uploads"
        announced = {"bytes": len(sound), "sha256": hashlib.sha256(sound).hexdigest()}
        key = {"Idempotency-Key": kept.key}
        upload = await self._http.ask_for(Upload, "POST", path, body=announced, headers=key)
        offset, wrong = upload.offset, 0
        while True:
            try:
                if offset == len(sound):
                    return await self._http.ask_for(Message, "POST", f"{path}/{upload.upload_id}/message")
                part = sound[offset : offset + upload.part_max_bytes]
                options: dict[str, Any] = {
                    "content": part,
                    "headers": {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"},
                }
                answer = await self._http.ask_for(Upload, "PATCH", f"{path}/{upload.upload_id}", **options)
                offset = answer.offset
            except ProblemError as error:
                wrong += 1
                if error.status == _NOT_FOUND:
                    # The upload has expired. Whether the child still exists shows when a new one is begun.
                    raise ServerAwayError("the upload is gone") from None
                if error.code not in _GO_ON or wrong > _WRONG_MAX:
                    raise
                offset = int(error.fields["offset"])


def _is_final(error: ProblemError) -> bool:
    return error.status not in _PASSING and error.status < _SERVER_FAULT
