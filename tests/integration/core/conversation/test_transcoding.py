"""Transcoding waits for no transaction, and a killed worker's job goes on with another."""

from __future__ import annotations

import asyncio
import uuid

import asyncpg
import pytest
from sqlmodel import col, select

from services.core.conversation.audio_assets import rendering
from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.conversation.audio_assets.tables import Rendition
from services.core.conversation.messages import transcoding
from services.core.conversation.messages.tables import Message
from services.core.conversation.messages.transcoding import LEASE, Outcome, TranscodingJob
from services.core.conversation.messages.voice_from_phone import send_voice_to_child
from services.core.platform.audio.rules import Form
from services.core.platform.audio.sandbox import Rendered
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.events.tables import Event
from services.core.platform.outbox.actions import request_rendition
from services.core.platform.outbox.tables import OutboxRow
from tests.support.clock import FakeClock
from tests.support.sounds import encoded
from tests.support.world import make_home

VOICE = encoded("amr-nb", 0.5)


async def queue_job(transcoder: Transcoder) -> uuid.UUID:
    """Send a voice message and queue a rendition for phones; return the asset's id."""
    home = await make_home(transcoder.database)
    message_id = (await send_voice_to_child(transcoder, home.child_id, home.guardian_id, new_ref(), VOICE)).message_id
    async with transcoder.database.begin() as work:
        asset_id = (await work.session.get_one(Message, message_id)).clip_id
        assert asset_id is not None
        for row in await work.session.exec(select(OutboxRow).where(col(OutboxRow.kind) == "clip")):
            await work.session.delete(row)
        await work.flush()
        await request_rendition(work, asset_id, Form.PHONE.value)
    return asset_id


async def claimed(transcoder: Transcoder) -> TranscodingJob:
    """Claim the job that is due."""
    job = await transcoding.claim(transcoder.database)
    assert job is not None
    return job


async def jobs(transcoder: Transcoder) -> list[OutboxRow]:
    """Return the jobs that are not settled."""
    async with transcoder.database.begin() as work:
        return list(await work.session.exec(select(OutboxRow).where(col(OutboxRow.kind) == "clip")))


async def events(transcoder: Transcoder) -> int:
    """Return how many notices of changed audio there are."""
    async with transcoder.database.begin() as work:
        return len((await work.session.exec(select(Event).where(col(Event.kind) == "message.audio"))).all())


async def open_transactions(url: str) -> list[str]:
    """Return the queries of transactions that are open in this database, this one's aside."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND state LIKE 'idle in transaction%'"
        )
    finally:
        await connection.close()
    return [row["query"] for row in rows]


async def test_no_transaction_is_open_while_a_decoder_runs(
    transcoder: Transcoder, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset_id = await queue_job(transcoder)
    before = await events(transcoder)
    seen: list[list[str]] = []
    render = transcoder.sandbox.render

    async def watched(
        sound: bytes, form: Form, *, max_bytes: int | None = None, declared: str | None = None
    ) -> Rendered:
        seen.append(await open_transactions(database_url))
        return await render(sound, form, max_bytes=max_bytes, declared=declared)

    monkeypatch.setattr(transcoder.sandbox, "render", watched)
    assert await transcoding.transcode_one(transcoder)
    assert seen == [[]]
    async with transcoder.database.begin() as work:
        made = await work.session.exec(select(Rendition).where(col(Rendition.clip_id) == asset_id))
        assert [row.form for row in made] == ["phone"]
    assert await jobs(transcoder) == []
    assert await events(transcoder) == before + 1
    assert not await transcoding.transcode_one(transcoder)


async def test_a_claimed_job_is_nobody_elses_until_its_lease_ends(transcoder: Transcoder, clock: FakeClock) -> None:
    await queue_job(transcoder)
    first = await claimed(transcoder)
    assert await transcoding.claim(transcoder.database) is None
    # The worker that claimed it was killed.
    clock.advance(seconds=LEASE.total_seconds())
    second = await claimed(transcoder)
    assert (first.row.outbox_id, first.row.attempts + 1) == (second.row.outbox_id, second.row.attempts)
    # It was frozen instead, and wakes: it can neither end nor put off what another one holds.
    for outcome in Outcome:
        await transcoding.settle(transcoder.database, first, outcome)
        assert await transcoding.claim(transcoder.database) is None
        assert len(await jobs(transcoder)) == 1
    await transcoding.settle(transcoder.database, second, await transcoding.render(transcoder, second))
    assert await jobs(transcoder) == []


async def test_two_workers_with_one_job_make_one_rendition(transcoder: Transcoder, clock: FakeClock) -> None:
    asset_id = await queue_job(transcoder)
    before = await events(transcoder)
    first = await claimed(transcoder)
    clock.advance(seconds=LEASE.total_seconds())
    second = await claimed(transcoder)
    outcomes = await asyncio.gather(*(transcoding.render(transcoder, job) for job in (first, second)))
    assert Outcome.DONE in outcomes
    for job, outcome in zip((first, second), outcomes, strict=True):
        await transcoding.settle(transcoder.database, job, outcome)
    async with transcoder.database.begin() as work:
        made = await work.session.exec(select(Rendition).where(col(Rendition.clip_id) == asset_id))
        assert len(made.all()) == 1
    assert await events(transcoder) == before + 1
    clock.advance(seconds=LEASE.total_seconds())
    while await transcoding.transcode_one(transcoder):
        pass
    assert await jobs(transcoder) == []


async def test_what_failed_comes_again_later_each_time(
    transcoder: Transcoder, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await queue_job(transcoder)
    monkeypatch.setattr(transcoding, "RENDER_TIMEOUT_S", 0.0)
    for waited_s in (1, 2, 4):
        assert await transcoding.transcode_one(transcoder)
        assert not await transcoding.transcode_one(transcoder)
        clock.advance(seconds=waited_s)
    monkeypatch.undo()
    assert await transcoding.transcode_one(transcoder)
    assert await jobs(transcoder) == []


async def test_readers_are_notified_though_the_worker_dies_right_after_rendering(
    transcoder: Transcoder, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await queue_job(transcoder)
    before = await events(transcoder)
    job = await claimed(transcoder)
    assert await transcoding.render(transcoder, job) is Outcome.DONE
    # Killed here, before it settled: the next attempt finds nothing left to do.
    assert await events(transcoder) == before + 1
    clock.advance(seconds=LEASE.total_seconds())
    monkeypatch.setattr(rendering, "_render", None)
    assert await transcoding.transcode_one(transcoder)
    assert await events(transcoder) == before + 1
    assert await jobs(transcoder) == []
