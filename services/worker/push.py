"""Push: notes of ids and words to browsers and webhooks; the interface that any other service would fill."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final, Protocol
from urllib.parse import urlsplit

import httpx
import structlog
from tenacity import RetryCallState, retry, wait_random_exponential

from services.core.devices.push.actions import Delivery, fan_out, open_delivery, record_outcome
from services.core.devices.push.rules import EndpointKind, Outcome, is_public, outcome_of, time_to_live_s
from services.core.devices.push.web_push import PushIdentity, browser_keys, encrypt_notification
from services.core.devices.push.webhook import signed_headers
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.db.faults import is_database_unavailable
from services.core.platform.outbox import actions as outbox
from services.core.platform.outbox.tables import OutboxRow
from services.core.platform.settings import Environment, Settings

POLL_S: Final = 2.0
# A push service answers in a fraction of a second; one that does not must not hold up the others.
SENDERS: Final = 4
TIMEOUT_S: Final = 10.0

log = structlog.get_logger()


class PushProvider(Protocol):
    """Sends notes to endpoints of one kind. FCM, APNs, JPush or WeChat would be one each; see docs/push.md."""

    async def send(self, delivery: Delivery) -> Outcome:
        """Hand over one note and say what became of it; whatever is raised counts as ``later``. Must log nothing."""


class Poster:
    """Posts to addresses that others have given us, so that nothing but the public internet can be reached.

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
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        if self._only_public and not all(is_public(one) for one in addresses):
            message = "the name stands for an address that is not public"
            raise OSError(message)
        for number, one in enumerate(addresses, start=1):
            request = self._client.build_request(
                "POST", httpx.URL(address).copy_with(host=one), content=body,
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
    """Browsers, through the push service each of them has."""

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
    """Programs of guardians or of other apps' makers, by a signed post."""

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
    """Return what sends to each kind of endpoint, while the block runs."""
    # No proxy of the environment: it would resolve names behind our back.
    async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as client:
        poster = Poster(client, only_public=settings.environment is Environment.PRODUCTION)
        yield {
            EndpointKind.WEB_PUSH: WebPush(poster, PushIdentity(database.vault), database, settings.public_url),
            EndpointKind.WEBHOOK: Webhook(poster, database),
        }


def _report(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("push_tries_again", error=type(error).__qualname__, attempt=state.attempt_number)


_keep_trying = retry(wait=wait_random_exponential(multiplier=0.2, max=10), before_sleep=_report)


class PushSender:
    """Turns events into notes, and sends each note to its endpoint; what fails comes again, later each time."""

    def __init__(self, database: Database, providers: Mapping[EndpointKind, PushProvider]) -> None:
        self._database = database
        self._providers = providers

    async def run(self) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(SENDERS):
                tasks.create_task(self._send_forever())

    @_keep_trying
    async def _send_forever(self) -> None:
        async with self._database.listen(outbox.CHANNEL) as notifications:
            while True:
                while await self.wake_one() or await self.send_one():
                    pass
                await notifications.next(POLL_S)
                notifications.drain()

    async def wake_one(self) -> bool:
        """Queue the notes of the oldest event that wakes anybody; return whether there was one."""
        return await self._with_oldest("wake", self._wake)

    async def send_one(self) -> bool:
        """Send the oldest due note; return whether there was one."""
        return await self._with_oldest("push", self._send)

    async def _with_oldest(self, kind: str, handle: Callable[[UnitOfWork, OutboxRow], Awaitable[None]]) -> bool:
        """Handle the oldest due row of a kind; one that fails stops no other, and is not tried without a pause."""
        row_id = None
        try:
            async with self._database.begin() as work:
                row = await outbox.claim(work, (kind,))
                if row is None:
                    return False
                row_id = row.outbox_id
                await handle(work, row)
        except Exception as error:
            if is_database_unavailable(error) or row_id is None:
                raise
            log.exception("push_row_failed", outbox_id=row_id)
            async with self._database.begin() as work:
                await outbox.defer_by_id(work, row_id)
        return True

    @staticmethod
    async def _wake(work: UnitOfWork, row: OutboxRow) -> None:
        await fan_out(work, row)
        await outbox.done(work, row)

    async def _send(self, work: UnitOfWork, row: OutboxRow) -> None:
        delivery = await open_delivery(work, row)
        if delivery is not None and await record_outcome(work, delivery.endpoint_id, await self._outcome(delivery)):
            outbox.defer(work, row)
        else:
            await outbox.done(work, row)

    async def _outcome(self, delivery: Delivery) -> Outcome:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                outcome = await self._providers[delivery.target.kind].send(delivery)
        except Exception as error:  # noqa: BLE001 - whatever a stranger's server does is no fault of ours
            # Addresses and answers stay out of the log.
            log.warning("push_not_sent", endpoint_id=str(delivery.endpoint_id), error=type(error).__qualname__)
            return Outcome.LATER
        if outcome is not Outcome.TAKEN:
            log.info("push_not_taken", endpoint_id=str(delivery.endpoint_id), outcome=outcome.value)
        return outcome
