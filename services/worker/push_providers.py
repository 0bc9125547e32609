"""Providers of push: how a note of ids and words reaches browsers and webhooks."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping
from typing import Final, Protocol
from urllib.parse import urlsplit

import httpx

from services.core.devices.push.actions import Delivery
from services.core.devices.push.rules import EndpointKind, Outcome, is_public, outcome_of, time_to_live_s
from services.core.devices.push.web_push import PushIdentity, browser_keys, encrypt_notification
from services.core.devices.push.webhook import signed_headers
from services.core.platform.db.database import Database
from services.core.platform.settings import Environment, Settings

# A push service answers in a fraction of a second.
TIMEOUT_S: Final = 10.0


class PushProvider(Protocol):
    """Sends notes to endpoints of one kind. FCM, APNs, JPush or WeChat would each be a provider; see docs/push.md."""

    async def send(self, delivery: Delivery) -> Outcome:
        """Send one note and return the outcome; any exception counts as ``later``. Must log nothing."""


class Poster:
    """Posts to addresses that outsiders chose; reaches only the public internet.

    The name is looked up here, every address it stands for is judged, and the connection goes to the address that was
    judged: a name that changes its meaning in between leads nowhere. Nothing is redirected, no answer is read.
    """

    def __init__(self, client: httpx.AsyncClient, *, only_public: bool) -> None:
        self._client = client
        self._only_public = only_public

    async def post(self, address: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Post and return the status. Raises OSError or httpx.HTTPError."""
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        loop = asyncio.get_running_loop()
        resolved = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in resolved))
        if self._only_public and not all(is_public(address) for address in addresses):
            message = "the name stands for an address that is not public"
            raise OSError(message)
        for number, candidate in enumerate(addresses, start=1):
            request = self._client.build_request(
                "POST", httpx.URL(address).copy_with(host=candidate), content=body,
                headers={**headers, "Host": parts.netloc}, extensions={"sni_hostname": host},
            )  # fmt: skip
            try:
                answer = await self._client.send(request, stream=True)
            except httpx.ConnectError:
                # A name with an IPv6 address first, on a machine that has none.
                if number == len(addresses):
                    raise
                continue
            await answer.aclose()
            return answer.status_code
        message = "the name stands for no address"
        raise OSError(message)


class WebPush:
    """Web Push: browsers, through their own push services."""

    def __init__(self, poster: Poster, identity: PushIdentity, database: Database, subject: str) -> None:
        self._poster = poster
        self._identity = identity
        self._database = database
        self._subject = subject

    async def send(self, delivery: Delivery) -> Outcome:
        """Seal the note for the browser and post it to its push service."""
        target = delivery.target
        parts = urlsplit(target.address)
        body = encrypt_notification(browser_keys(target.p256dh, target.auth), delivery.note)
        status = await self._poster.post(
            target.address,
            body,
            {
                "Authorization": self._identity.authorization(
                    f"{parts.scheme}://{parts.netloc}", self._subject, self._database.clock()
                ),
                "Content-Encoding": "aes128gcm",
                "Content-Type": "application/octet-stream",
                "TTL": str(time_to_live_s(delivery.kind)),
                "Urgency": "high",
            },
        )
        return outcome_of(status)


class Webhook:
    """Webhooks of guardians or of other apps' makers, by a signed post."""

    def __init__(self, poster: Poster, database: Database) -> None:
        self._poster = poster
        self._database = database

    async def send(self, delivery: Delivery) -> Outcome:
        """Sign the note and post it."""
        signed = signed_headers(delivery.target.auth, delivery.note, int(self._database.clock().timestamp()))
        headers = {"Content-Type": "application/json", **signed}
        return outcome_of(await self._poster.post(delivery.target.address, delivery.note, headers))


@contextlib.asynccontextmanager
async def providers_of(settings: Settings, database: Database) -> AsyncIterator[dict[EndpointKind, PushProvider]]:
    """Yield the provider of each kind of endpoint."""
    # No proxy from the environment: a proxy would resolve names without the check of addresses.
    async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as client:
        poster = Poster(client, only_public=settings.environment is Environment.PRODUCTION)
        yield {
            EndpointKind.WEB_PUSH: WebPush(poster, PushIdentity(database.vault), database, settings.public_url),
            EndpointKind.WEBHOOK: Webhook(poster, database),
        }
