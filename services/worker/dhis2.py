"""Sends public numbers to a DHIS2 system: one batch a request, checked there before anything is stored."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from typing import Final

import httpx

from services.core.measurement.dhis2_imports.actions import KIND, next_batch, settle_batch
from services.core.measurement.dhis2_imports.rules import Answer, Problem, Verdict, read_answer
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from services.worker.pulse import Pulse
from services.worker.wake_ups import WakeUps

# DHIS2 answers when the last value of a batch is stored: seconds for 500 values on a small server.
TIMEOUT_S: Final = 60.0
_ANSWER_BYTES_MAX: Final = 1024 * 1024


class Dhis2Client:
    """Posts data value sets; follows no redirect, uses no proxy of the environment, logs nothing of a request."""

    def __init__(self, client: httpx.AsyncClient, settings: Settings, *, timeout_s: float = TIMEOUT_S) -> None:
        self._client = client
        self._url = f"{settings.dhis2_url}/api/dataValueSets"
        self._headers: dict[str, str] = {}
        self._auth: httpx.BasicAuth | None = None
        self._timeout_s = timeout_s
        self.batch_values = settings.dhis2_batch_values
        if token := settings.dhis2_token.get_secret_value():
            self._headers["Authorization"] = f"ApiToken {token}"
        else:
            self._auth = httpx.BasicAuth(settings.dhis2_user, settings.dhis2_password.get_secret_value())

    async def send(self, values: Sequence[dict[str, str]], *, dry_run: bool) -> Answer:
        """Send values and return what became of them; never raises for what DHIS2 or the network does."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._send(values, dry_run=dry_run)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            return Answer(Verdict.LATER, Problem.NO_CONNECTION)
        except (TimeoutError, httpx.HTTPError):
            # The values may have arrived. They are sent again: the same values update themselves.
            return Answer(Verdict.LATER, Problem.NO_ANSWER)

    async def _send(self, values: Sequence[dict[str, str]], *, dry_run: bool) -> Answer:
        parameters = {"dryRun": str(dry_run).lower(), "importStrategy": "CREATE_AND_UPDATE", "async": "false"}
        body = b""
        async with self._client.stream(
            "POST", self._url, params=parameters, json={"dataValues": list(values)}, headers=self._headers,
            auth=self._auth,
        ) as response:  # fmt: skip
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _ANSWER_BYTES_MAX:
                    break
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        return read_answer(response.status_code, answer, response.headers.get("retry-after", ""))


@contextlib.asynccontextmanager
async def open_dhis2(settings: Settings) -> AsyncIterator[Dhis2Client | None]:
    """Yield the client of the configured DHIS2 system, or None without one."""
    if not settings.dhis2_url:
        yield None
        return
    async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as client:
        yield Dhis2Client(client, settings)


async def send_one_import(database: Database, dhis2: Dhis2Client) -> bool:
    """Send the oldest waiting import until it ends or has to wait; return whether there was one."""
    batch = await next_batch(database, dhis2.batch_values)
    if batch is None:
        return False
    while batch is not None:
        answer = await dhis2.send(batch.values, dry_run=batch.dry_run)
        batch = await settle_batch(database, batch, answer, dhis2.batch_values)
    return True


class Dhis2Loop:
    """Sends what waits, one import after the other."""

    name = "dhis2"
    # A batch takes a minute at most; an import has many.
    silence_max_s = 3600.0

    def __init__(self, database: Database, dhis2: Dhis2Client, wake_ups: WakeUps) -> None:
        self._database = database
        self._dhis2 = dhis2
        self._wake_up = wake_ups.subscribe(KIND)

    async def run(self, pulse: Pulse) -> None:
        """Send until cancelled."""
        while True:
            pulse.beat()
            while await send_one_import(self._database, self._dhis2):
                pulse.beat()
            pulse.record_success(self.name)
            await self._wake_up.wait()
