"""Sweeps: one that fails stops no other, and the health page names it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
from sqlalchemy import text
from sqlmodel import col, select

from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.platform.blobs.actions import release, reserve
from services.core.platform.blobs.tables import Blob
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.core.platform.erasure_ledger import ErasureLedger
from services.core.platform.facts.tables import Fact
from services.core.platform.settings import Settings
from services.core.privacy.erasure.actions import erase_child
from services.core.privacy.tables import Erasure
from services.worker.pulse import Pulse
from services.worker.sweeps import ROUND_MAX_S, Sweep, SweepLoop, all_sweeps
from tests.support.clock import FakeClock
from tests.support.places import allow_places, sent
from tests.support.uplinks import receive_fixes
from tests.support.world import Home, make_home, wear


async def _in_old_zone(database: Database, home: Home) -> None:
    async with database.begin() as work:
        await work.run(
            text("UPDATE watch_settings SET timezone = 'Mars/Olympus' WHERE child_id = :child"),
            {"child": home.child_id},
        )


async def test_an_unknown_time_zone_ends_neither_erasure_nor_the_deletion_of_places_nor_counting(
    database: Database, transcoder: Transcoder, clock: FakeClock, tmp_path: Path
) -> None:
    ledger = ErasureLedger(tmp_path / "erasures.jsonl")
    in_old_zone, with_place, erased = [await make_home(database) for _ in range(3)]
    await allow_places(database, with_place)
    worn = await wear(database, with_place)
    async with database.begin() as work:
        assert {fix.code for fix in await receive_fixes(work, [sent(worn.username, clock.now)])} == {"stored"}
        blob_id = await reserve(work, erased.child_id, 1, "")
        await release(work, blob_id)
    clock.advance(days=31)
    async with database.begin() as work:
        work.add(
            Fact(kind="message_up", family_id=with_place.family_id, child_id=with_place.child_id, received_at=work.now)
        )
        erasure = await erase_child(work, ledger, erased.child_id, erased.guardian_id)
    await _in_old_zone(database, in_old_zone)

    loop, pulse = SweepLoop(database, all_sweeps(database, transcoder.blobs, ledger)), Pulse("sweeps", 60)
    with structlog.testing.capture_logs() as lines:
        await loop.sweep_all(pulse)
        await loop.sweep_all(pulse)

    assert {line["sweep"] for line in lines if line["event"] == "sweep_failed"} == {"repair_one_offset"}
    assert pulse.failing == ["repair_one_offset"]
    async with database.begin() as work:
        done = await work.session.get_one(Erasure, erasure.erasure_id)
        assert done.rows_gone_at is not None
        assert await work.session.get(Blob, blob_id) is None
        places = await work.run(text("SELECT count(*) FROM checkin WHERE username = :u"), {"u": worn.username})
        assert places.scalar_one() == 0
        waiting = await work.session.exec(select(Fact).where(col(Fact.counted).is_(False)))
        assert waiting.all() == []

    async with database.begin() as work:
        await work.run(text("UPDATE watch_settings SET timezone = 'Asia/Shanghai' WHERE timezone = 'Mars/Olympus'"))
    await loop.sweep_all(pulse)
    assert pulse.failing == []


async def test_a_sweep_that_fails_in_any_way_is_named_and_the_next_one_runs(database: Database) -> None:
    ran: list[str] = []

    async def broken_disk() -> bool:
        raise OSError(28, "No space left on device")

    async def next_one() -> bool:
        ran.append("next_one")
        return False

    loop, pulse = SweepLoop(database, [Sweep("broken_disk", broken_disk), Sweep("next_one", next_one)]), Pulse("s", 60)
    for _ in range(2):
        await loop.sweep_all(pulse)
    assert ran == ["next_one"] * 2
    assert pulse.failing == ["broken_disk"]


async def test_a_sweep_that_never_finishes_gives_way_to_the_next(database: Database) -> None:
    ran: list[str] = []
    seconds = iter([0.0, 1.0, ROUND_MAX_S + 1, ROUND_MAX_S + 2])

    async def endless() -> bool:
        ran.append("endless")
        return True

    async def next_one() -> bool:
        ran.append("next_one")
        return False

    loop = SweepLoop(database, [Sweep("endless", endless), Sweep("next_one", next_one)], clock=lambda: next(seconds))
    assert not await loop.sweep_all(Pulse("s", 60))
    assert ran == ["endless", "endless", "next_one"]


async def test_while_the_database_is_away_the_round_waits_and_no_sweep_is_blamed(
    transcoder: Transcoder, settings: Settings, tmp_path: Path, claim_port: Callable[[], int]
) -> None:
    away = Database(
        f"postgresql://nobody@127.0.0.1:{claim_port()}/none", vault=Vault(settings.master_key.get_secret_value())
    )
    sweeps = all_sweeps(away, transcoder.blobs, ErasureLedger(tmp_path / "erasures.jsonl"))
    loop, pulse = SweepLoop(away, sweeps), Pulse("sweeps", 60)
    with pytest.raises(OSError, match="Connect"):
        await loop.sweep_all(pulse)
    assert pulse.failing == []
    await away.close()
