"""Access that is taken away ends in open streams too, within five seconds, whichever way it is taken."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable

import httpx
import pytest

from services.core.devices.alerts.actions import NewAlert, raise_alert
from services.core.people.accounts.errors import SessionEndedError
from services.core.platform.db.database import Database
from tests.integration.api.conftest import Live
from tests.support.http import Parent, make_family, make_place
from tests.support.staff_http import make_staff


async def _log_out(_first: Parent, other: Parent) -> None:
    await other.told("POST", "/v1/auth/logout")


async def _end_session_elsewhere(_first: Parent, other: Parent) -> None:
    phone = other.new_device()
    # The same device token: the same known device with a session of its own.
    phone.device_token = other.device_token
    await phone.log_in()
    sessions = (await phone.told("GET", "/v1/me/sessions"))["sessions"]
    for session in sessions:
        if not session["current"]:
            await phone.told("DELETE", f"/v1/me/sessions/{session['session_id']}")


async def _steal_and_use_twice(_first: Parent, other: Parent) -> None:
    used = other.tokens["refresh_token"]
    newest = used
    for _ in range(2):
        answer = await other.client.post("/v1/auth/refresh", json={"refresh_token": newest})
        newest = answer.json()["refresh_token"]
    assert (await other.client.post("/v1/auth/refresh", json={"refresh_token": used})).status_code == 401


async def _erase_the_family(first: Parent, _other: Parent) -> None:
    await first.told("DELETE", first.family, params={"confirm": "erase"})


ENDED: dict[str, Callable[[Parent, Parent], Awaitable[None]]] = {
    "log-out": _log_out,
    "ended from another session": _end_session_elsewhere,
    "a used refresh token comes again": _steal_and_use_twice,
    "the family is erased": _erase_the_family,
}


@pytest.mark.parametrize("way", ENDED)
async def test_a_session_that_ends_ends_its_stream(
    live: Live, client: httpx.AsyncClient, database: Database, way: str
) -> None:
    first = await make_family(client, database)
    other = await first.invite()
    async with live.follow(other) as stream:
        await ENDED[way](first, other)
        assert await stream.ends()
    assert await other.refused("GET", "/v1/events") == (401, SessionEndedError.code)


async def _remove(first: Parent, other: Parent) -> None:
    await first.told("DELETE", f"{first.family}/guardians/{other.guardian_id}")


async def _leave(_first: Parent, other: Parent) -> None:
    await other.told("DELETE", f"{other.family}/guardians/{other.guardian_id}")


async def _take_consent_back(_first: Parent, other: Parent) -> None:
    await other.told("POST", f"{other.family}/consents/withdraw", json={"part": "messages"})


async def _take_the_right(first: Parent, other: Parent) -> None:
    body = {"may_message": False}
    await first.told("PATCH", f"{first.family}/guardians/{other.guardian_id}", json=body)


async def _alarm(first: Parent, kind: str) -> None:
    """Have something happen of which every guardian is told who may write to the child."""
    assert first.family_id is not None
    async with first.database.begin() as work:
        await raise_alert(work, NewAlert(uuid.UUID(first.child_id), first.family_id, kind))


SILENCED: dict[str, Callable[[Parent, Parent], Awaitable[None]]] = {
    "removed": _remove,
    "left": _leave,
    "consent taken back": _take_consent_back,
    "right taken": _take_the_right,
}


@pytest.mark.parametrize("way", SILENCED)
async def test_a_stream_whose_right_ends_tells_nothing_of_what_follows(
    live: Live, client: httpx.AsyncClient, database: Database, way: str
) -> None:
    first = await make_family(client, database)
    other, still = await first.invite(), await first.invite()
    async with live.follow(other) as silenced, live.follow(still) as stream:
        await _alarm(first, "fall")
        assert (await silenced.until("alert.raised"))[-1].body["family_id"] == str(first.family_id)
        await stream.until("alert.raised")
        await SILENCED[way](first, other)
        await _alarm(first, "tamper")
        # The stream with the right got the event: the other was woken by the same one.
        await stream.until("alert.raised")
        assert "alert.raised" not in await silenced.within(0.3)


async def test_tokens_of_guardians_and_staff_open_nothing_of_each_other(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    parent, member = await make_family(client, database, place), await make_staff(client, database, place, "admin")
    refused = (401, "access_token_invalid")
    assert await parent.refused("GET", "/v1/staff/me") == refused
    assert await member.refused("GET", "/v1/me") == refused
    assert await member.refused("GET", "/v1/events") == refused
    assert await member.refused("GET", parent.child) == refused
    # The refusals are about the kind of token: each opens its own.
    await parent.told("GET", "/v1/me")
    await member.told("GET", "/v1/staff/me")
