"""Another master key while everything goes on: what was written opens, before, during and afterwards."""

from __future__ import annotations

import asyncio
import base64
import secrets
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from sqlalchemy import update
from sqlmodel import col, select

from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.conversation.messages.actions import send_to_child
from services.core.conversation.messages.content import open_body
from services.core.conversation.messages.playback import audio_for_phone
from services.core.conversation.messages.rules import text_body
from services.core.conversation.messages.tables import Message
from services.core.conversation.messages.voice_from_phone import send_voice_to_child
from services.core.people.accounts.actions import open_session, refresh
from services.core.people.accounts.devices import present_device
from services.core.people.accounts.errors import RefreshTokenInvalidError
from services.core.people.households.child_key import children_by_master_key, data_key, rewrap_children
from services.core.people.households.tables import Child
from services.core.platform.crypto.errors import MasterKeyMissingError
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.crypto.vault import FIRST_KEY_ID, SealBrokenError, Vault, mark_of
from services.core.platform.db.database import Database
from tests.support.clock import FakeClock
from tests.support.sounds import encoded
from tests.support.world import Home, make_home

OLD, NEW = (base64.b64encode(secrets.token_bytes(32)).decode() for _ in range(2))
HOMES = 6


@dataclass
class Stages:
    """The same rows, as processes see them before, during and after a change of keys."""

    before: Database
    # The new key is there, and seals nothing yet.
    ready: Database
    during: Database
    after: Database


@pytest_asyncio.fixture(loop_scope="session")
async def stages(database_url: str, clock: FakeClock) -> AsyncIterator[Stages]:
    """Processes with the old key, with both, and with the new key alone; children are of this test only."""
    vaults = (
        Vault(OLD),
        Vault({"first": OLD, "2027": NEW}, OLD),
        Vault({"2027": NEW, "first": OLD}, OLD),
        Vault({"2027": NEW}, OLD),
    )
    made = [Database(database_url, vault=vault, clock=clock, pool_size=4) for vault in vaults]
    yield Stages(*made)
    async with made[0].begin() as work:
        # Children of other tests would be wrapped under keys that are lost.
        await work.run(update(Child).values(wrapped_key=b""))
    for database in made:
        await database.close()


async def homes_in(database: Database) -> list[Home]:
    return [await make_home(database) for _ in range(HOMES)]


async def say(database: Database, home: Home, text: str) -> uuid.UUID:
    async with database.begin() as work:
        message = await send_to_child(work, home.child_id, home.guardian_id, new_ref(), text_body(text))
        return message.message_id


async def texts_of(database: Database, home: Home) -> list[str]:
    async with database.begin() as work:
        child = await work.session.get_one(Child, home.child_id)
        messages = await work.session.exec(
            select(Message).where(Message.child_id == home.child_id).order_by(col(Message.seq))
        )
        return [open_body(data_key(work, child), message.message_id, message.sealed_body) for message in messages.all()]


async def wrapped(database: Database, home: Home) -> bytes:
    async with database.begin() as work:
        return (await work.session.get_one(Child, home.child_id)).wrapped_key


async def test_keys_change_while_messages_are_written_and_the_old_one_can_go(stages: Stages) -> None:
    homes = await homes_in(stages.before)
    for home in homes:
        await say(stages.before, home, "0")
    assert await children_by_master_key(stages.before) == {"first": HOMES}
    ended = asyncio.Event()

    async def write_on(home: Home) -> int:
        number = 0
        while not ended.is_set() or number < 3:
            number += 1
            # Processes are restarted one after the other: some seal under the old key still.
            await say(stages.ready if number % 2 else stages.during, home, str(number))
        return number

    writing = [asyncio.create_task(write_on(home)) for home in homes]
    # Two operators at once change each key once.
    both = await asyncio.gather(rewrap_children(stages.during), rewrap_children(stages.during))
    ended.set()
    counts = await asyncio.gather(*writing)
    assert sum(result.done for result in both) == HOMES
    assert [result.unopened for result in both] == [{}, {}]
    assert (await rewrap_children(stages.during)).done == 0, "a repeat changes nothing"
    assert await children_by_master_key(stages.after) == {"2027": HOMES}
    for home, count in zip(homes, counts, strict=True):
        assert await texts_of(stages.after, home) == [str(number) for number in range(count + 1)]
        await say(stages.after, home, "afterwards")


async def test_a_recording_from_before_plays_afterwards(stages: Stages, transcoder: Transcoder) -> None:
    home = await make_home(stages.before)
    sound = encoded("m4a", 1.0)
    old_transcoder = Transcoder(stages.before, transcoder.blobs, transcoder.sandbox)
    sent = await send_voice_to_child(old_transcoder, home.child_id, home.guardian_id, new_ref(), sound)
    await rewrap_children(stages.during)
    async with stages.after.begin() as work:
        clip_id = (await work.session.get_one(Message, sent.message_id)).clip_id
    assert clip_id is not None
    heard = await audio_for_phone(Transcoder(stages.after, transcoder.blobs, transcoder.sandbox), clip_id)
    assert await transcoder.blobs.read(heard.playable.blob_id, heard.key) == sound


async def test_an_old_key_that_goes_too_early_is_asked_for_and_nothing_is_destroyed(stages: Stages) -> None:
    home = await make_home(stages.before)
    await say(stages.before, home, "kept")
    keys_before = await wrapped(stages.before, home)
    async with stages.after.begin() as work:
        child = await work.session.get_one(Child, home.child_id)
        with pytest.raises(MasterKeyMissingError):
            data_key(work, child)
    with pytest.raises(MasterKeyMissingError):
        await say(stages.after, home, "not taken")
    outcome = await rewrap_children(stages.after)
    assert (outcome.done, outcome.unopened) == (0, {"first": 1})
    assert await wrapped(stages.before, home) == keys_before
    # The key is brought back.
    assert (await rewrap_children(stages.during)).done == 1
    assert await texts_of(stages.after, home) == ["kept"]


async def test_a_destroyed_key_stays_destroyed(stages: Stages) -> None:
    home = await make_home(stages.before)
    async with stages.before.begin() as work:
        await work.run(update(Child).where(col(Child.child_id) == home.child_id).values(wrapped_key=b""))
    outcome = await rewrap_children(stages.during)
    assert (outcome.done, outcome.unopened) == (0, {})
    assert await wrapped(stages.before, home) == b""
    async with stages.during.begin() as work:
        with pytest.raises(SealBrokenError):
            data_key(work, await work.session.get_one(Child, home.child_id))


async def test_a_key_from_before_keys_had_ids_is_changed_like_the_others(stages: Stages) -> None:
    home = await make_home(stages.before)
    await say(stages.before, home, "long ago")
    async with stages.before.begin() as work:
        child = await work.session.get_one(Child, home.child_id)
        child.wrapped_key = child.wrapped_key.removeprefix(mark_of(FIRST_KEY_ID))
        work.add(child)
    assert await texts_of(stages.during, home) == ["long ago"]
    assert await children_by_master_key(stages.during) == {"": 1}
    assert (await rewrap_children(stages.during)).done == 1
    assert await texts_of(stages.after, home) == ["long ago"]


async def test_sessions_and_known_secrets_outlive_the_key_they_began_under(stages: Stages) -> None:
    home = await make_home(stages.before)
    async with stages.before.begin() as work:
        device = await present_device(work, home.guardian_id, None, trust=True)
        token = (await open_session(work, home.guardian_id, device, "", has_pin=False)).refresh_token
    async with stages.during.begin() as work:
        token = (await refresh(work, token)).refresh_token
    async with stages.after.begin() as work:
        assert (await refresh(work, token)).guardian_id == home.guardian_id
    # With the master key as its hash key a process would know nobody any more.
    stranger = Database(stages.before.url, vault=Vault(NEW), clock=stages.before.clock)
    async with stranger.begin() as work:
        with pytest.raises(RefreshTokenInvalidError):
            await refresh(work, token)
    await stranger.close()
