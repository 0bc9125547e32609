"""Everything goes in its time: by the promise's numbers, or by those of a deployment."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from sqlmodel import SQLModel, col, func, select

from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.conversation.messages.expiry import expire_one_message
from services.core.conversation.messages.retention import purge_one_old_voice
from services.core.people.accounts.sms_texts import go_and_look_text
from services.core.people.accounts.tables import Session
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.core.platform.events.tables import Event
from services.core.platform.outbox.actions import send_sms
from services.core.platform.outbox.tables import OutboxRow
from services.core.platform.retention import Retention
from services.core.platform.settings import Settings
from services.core.privacy.purging.actions import purge_one_batch
from tests.support.clock import FakeClock
from tests.support.http import make_family
from tests.support.sounds import encoded


async def _count(database: Database, table: type[SQLModel]) -> int:
    async with database.begin() as work:
        return (await work.session.exec(select(func.count()).select_from(table))).one()


async def _texts(database: Database) -> int:
    """Return how many text messages wait; recordings that an earlier test left wait for as long as they are kept."""
    async with database.begin() as work:
        waiting = select(func.count()).where(col(OutboxRow.kind) == "sms")
        return (await work.session.exec(waiting)).one()


async def _forget(database: Database) -> None:
    purged = True
    while purged:
        async with database.begin() as work:
            purged = await purge_one_batch(work)


def test_settings_say_the_promise_unless_a_deployment_says_otherwise() -> None:
    assert Retention.of(Settings()) == Retention()
    assert Retention.of(Settings(keep_voice_days=7)).voice == timedelta(days=7)
    assert Retention.of(Settings(keep_undelivered_days=3)).undelivered == timedelta(days=3)


async def test_events_sessions_and_unsent_messages_go_in_their_time(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    # Given nothing of an earlier test: all that it left is older than anything is kept.
    clock.advance(days=400)
    await _forget(database)
    mother = await make_family(client, database)
    async with database.begin() as work:
        await send_sms(work, mother.phone, go_and_look_text("en"))
    clock.advance(days=1, hours=23)
    await _forget(database)
    assert await _texts(database) > 0
    assert await _count(database, Event) > 0
    clock.advance(hours=1)
    await _forget(database)
    assert await _texts(database) == 0
    assert await _count(database, Event) > 0
    clock.advance(days=28)
    await _forget(database)
    assert await _count(database, Event) == 0
    assert await _count(database, Session) == 1
    clock.advance(days=60)
    await _forget(database)
    assert await _count(database, Session) == 0


@pytest.mark.parametrize("kept_days", [3, 90])
async def test_voice_is_kept_as_long_as_the_deployment_says(
    client: httpx.AsyncClient, settings: Settings, clock: FakeClock, transcoder: Transcoder, kept_days: int
) -> None:
    clock.advance(days=400)
    await _forget(transcoder.database)
    mother = await make_family(client, transcoder.database)
    await mother.told("PUT", "/v1/me/pin", json={"pin": "730418"})
    message = await mother.speak(encoded("amr-nb", 1.0))
    ours = Database(
        settings.database_url, vault=Vault(settings.master_key.get_secret_value()), clock=clock,
        retention=Retention(voice=timedelta(days=kept_days)),
    )  # fmt: skip
    clock.advance(days=kept_days, seconds=-1)
    async with ours.begin() as work:
        assert not await purge_one_old_voice(work)
    clock.advance(seconds=1)
    async with ours.begin() as work:
        assert await purge_one_old_voice(work)
    await ours.close()
    await mother.log_in()
    if kept_days >= 60:
        # So long unused, the code alone is not enough.
        await mother.told("POST", "/v1/auth/second-step", json={"pin": "730418"})
    page = await mother.told("GET", f"{mother.child}/messages")
    assert [(message["message_id"], message["voice"]["state"]) for message in page["messages"]] == [
        (message["message_id"], "gone")
    ]


async def test_what_does_not_arrive_waits_as_long_as_the_deployment_says(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    mother = await make_family(client, database)
    database.retention = Retention(undelivered=timedelta(days=3))
    message = await mother.send("not for ever")
    database.retention = Retention()
    longer = await mother.send("as promised")

    async def states() -> dict[str, str]:
        async with database.begin() as work:
            while await expire_one_message(work):
                pass
        await mother.log_in()
        messages = (await mother.told("GET", f"{mother.child}/messages"))["messages"]
        return {message["message_id"]: message["recipients"][0]["state"] for message in messages}

    clock.advance(days=3, seconds=-1)
    assert await states() == {message["message_id"]: "queued", longer["message_id"]: "queued"}
    clock.advance(seconds=61)
    assert await states() == {message["message_id"]: "expired", longer["message_id"]: "queued"}
