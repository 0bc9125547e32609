"""HTTP to providers: one bounded request, and what its failure means for the message."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import httpx

from services.worker.sms_providers.interface import Failure, SmsNotTakenError

# Providers answer within a second or two. The whole request, from the connection to the last byte of the answer.
TIMEOUT_S: Final = 6.0
_ANSWER_BYTES_MAX: Final = 64 * 1024
# The step of httpx's transport from which on the provider may have the message.
_SENDING: Final = "send_request_headers.started"


@dataclass(frozen=True)
class Answer:
    """A provider's answer: status, and the JSON object of its body (empty if it is none)."""

    status: int
    fields: Mapping[str, Any]

    def text(self, name: str) -> str:
        """Return a field as text; empty if it is missing."""
        value = self.fields.get(name)
        return "" if value is None else str(value)


class ProviderClient:
    """Sends requests to providers; follows no redirect, uses no proxy of the environment, reads 64 KiB at most."""

    def __init__(self, client: httpx.AsyncClient, *, timeout_s: float = TIMEOUT_S) -> None:
        self._client = client
        self._timeout_s = timeout_s

    async def ask(self, method: str, url: str, **parts: Any) -> Answer:  # noqa: ANN401 - what httpx takes
        """Send a request and return the answer.

        Raises SmsNotTakenError: busy where no connection came about (nothing was sent), unsure after that.
        """
        has_begun = False

        async def trace(step: str, _: object) -> None:
            nonlocal has_begun
            has_begun = has_begun or step.endswith(_SENDING)

        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._ask(method, url, parts | {"extensions": {"trace": trace}})
        except httpx.ConnectError as error:
            raise SmsNotTakenError(Failure.BUSY, "no_connection") from error
        except (httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise SmsNotTakenError(Failure.BUSY, "no_connection", is_silent=True) from error
        except TimeoutError as error:
            if not has_begun:
                raise SmsNotTakenError(Failure.BUSY, "no_connection", is_silent=True) from error
            raise SmsNotTakenError(Failure.UNSURE, "no_answer") from error
        except httpx.HTTPError as error:
            raise SmsNotTakenError(Failure.UNSURE, "broken_connection") from error

    async def _ask(self, method: str, url: str, parts: Mapping[str, Any]) -> Answer:
        async with self._client.stream(method, url, **parts) as response:
            body = b""
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _ANSWER_BYTES_MAX:
                    break
        try:
            fields = json.loads(body)
        except ValueError:
            fields = None
        return Answer(response.status_code, fields if isinstance(fields, dict) else {})


def judge_answer(answer: Answer) -> SmsNotTakenError:
    """Return what an answer without a code of the provider means: by its status; 2xx that says nothing is unsure."""
    try:
        judge_status(answer.status)
    except SmsNotTakenError as error:
        return error
    if answer.status >= HTTPStatus.BAD_REQUEST:
        return SmsNotTakenError(Failure.REFUSED, str(answer.status))
    return SmsNotTakenError(Failure.UNSURE, "no_code")


def judge_status(status: int) -> None:
    """Raise SmsNotTakenError for a status that tells enough by itself: 429 and 503 busy, 5xx unsure, 3xx refused."""
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        raise SmsNotTakenError(Failure.BUSY, str(status))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise SmsNotTakenError(Failure.UNSURE, str(status))
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise SmsNotTakenError(Failure.REFUSED, str(status))
