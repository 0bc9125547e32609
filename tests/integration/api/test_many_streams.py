"""Up to a thousand open event streams on two API processes: each hears its own family, at once, and nobody else's."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from services.core.people.accounts.actions import log_out
from services.core.people.accounts.tables import Guardian, Session
from services.core.people.accounts.tokens import AccessClaims, AccessTokens
from services.core.people.consents.tables import Consent
from services.core.people.households.tables import Family, Membership
from services.core.platform.db.database import Database
from services.core.platform.events.actions import record_event
from services.core.platform.settings import Settings
from tests.support.api_process import api_process, database_of_today
from tests.support.http import new_phone

GUARDIANS = 2
DEADLINE_S = 60.0


@dataclass
class Listener:
    """One open stream and what it has heard."""

    family_id: uuid.UUID
    session_id: uuid.UUID
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def next(self) -> dict[str, Any] | None:
        """Return the next event's data, None at the end of the stream."""
        kind = ""
        # Read as it comes, in chunks (RFC 9112, section 7.1): one of size 0 is the end.
        while (line := await self.reader.readline()) not in {b"", b"0\r\n"}:
            name, _, value = line.decode().rstrip("\r\n").partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                return {"kind": kind, **json.loads(value)}
        return None


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def now_database(settings: Settings) -> AsyncIterator[Database]:
    """The module's database by the clock of the API's processes."""
    async with database_of_today(settings) as database:
        yield database


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ports(settings: Settings) -> AsyncIterator[list[int]]:
    """Two API processes on one database."""
    async with api_process(settings) as first, api_process(settings) as other:
        yield [first, other]


async def _make_guardians(database: Database, count: int) -> list[tuple[uuid.UUID, AccessClaims]]:
    """Make the families and a logged-in session of every guardian."""
    made = []
    async with database.begin() as work:
        families = [Family(family_code=uuid.uuid4().hex[:16], created_at=work.now) for _ in range(count)]
        guardians = [Guardian(phone=new_phone(), created_at=work.now) for _ in range(count * GUARDIANS)]
        work.add(*families, *guardians)
        await work.flush()
        for number, guardian in enumerate(guardians):
            family_id, guardian_id = families[number // GUARDIANS].family_id, guardian.guardian_id
            session = Session(guardian_id=guardian_id, created_at=work.now, last_used_at=work.now)
            work.add(
                session,
                Membership(family_id=family_id, guardian_id=guardian_id, relation="mother", joined_at=work.now),
                Consent(
                    guardian_id=guardian_id, family_id=family_id, part="messages", text_version="1", locale="en",
                    how="app", given_at=work.now,
                ),
            )  # fmt: skip
            made.append((family_id, AccessClaims(guardian_id, session.session_id)))
    return made


async def _open(port: int, token: str, family_id: uuid.UUID, claims: AccessClaims) -> Listener:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /v1/events HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    listener = Listener(family_id, claims.session_id, reader, writer)
    assert b" 200 " in await reader.readline()
    ready = await listener.next()
    assert ready is not None
    assert ready["kind"] == "ready"
    return listener


# A thousand streams take half a minute to open on two processors; a hundred show the same of the code.
@pytest.mark.parametrize("families", [50, pytest.param(500, marks=pytest.mark.long)])
async def test_of_many_streams_each_hears_their_own_family(
    ports: list[int], now_database: Database, settings: Settings, families: int
) -> None:
    tokens = AccessTokens.of(settings)
    guardians = await _make_guardians(now_database, families)
    now = now_database.clock()
    # As many at a time as a busy machine answers without sending any away.
    turn = asyncio.Semaphore(50)

    async def opened(number: int, family_id: uuid.UUID, claims: AccessClaims) -> Listener:
        async with turn:
            return await _open(ports[number % 2], tokens.issue(claims, now), family_id, claims)

    async with asyncio.timeout(DEADLINE_S):
        listeners = await asyncio.gather(*(opened(number, *guardian) for number, guardian in enumerate(guardians)))
    assert len(listeners) == families * GUARDIANS
    # One event a family, and each of its streams hears that one, whichever process serves it.
    marks = {}
    async with now_database.begin() as work:
        for family_id in {listener.family_id for listener in listeners}:
            marks[family_id] = uuid.uuid4()
            await record_event(work, family_id, "guardians.changed", ref_id=marks[family_id])
    async with asyncio.timeout(DEADLINE_S):
        heard = await asyncio.gather(*(listener.next() for listener in listeners))
    assert [event["ref_id"] for event in heard if event] == [str(marks[listener.family_id]) for listener in listeners]
    # An ended session's stream ends within five seconds, and its neighbour's goes on.
    ended, stays = listeners[:2]
    async with now_database.begin() as work:
        await log_out(work, ended.session_id)
    async with asyncio.timeout(60):
        assert await ended.next() is None
    async with now_database.begin() as work:
        await record_event(work, stays.family_id, "guardians.changed", ref_id=marks[stays.family_id])
    async with asyncio.timeout(DEADLINE_S):
        assert await stays.next() is not None
    for listener in listeners:
        listener.writer.close()
    await asyncio.gather(*(listener.writer.wait_closed() for listener in listeners), return_exceptions=True)
