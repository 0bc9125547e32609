"""The watch tells where it is and how it is used: kept until the receipt, together where several wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.device_sim.watch.body import Fix
from services.device_sim.watch.gpx import TrackPoint
from services.device_sim.watch.records import WatchRefusedError
from services.device_sim.watch.watch import SimWatch
from services.protocol.words import AlertKind
from tests.integration.device_sim.scripted_backend import PATIENT, Bench, ScriptedBackend

WHEN = datetime(2026, 3, 4, tzinfo=UTC)
WAY = [
    TrackPoint(WHEN + timedelta(minutes=minute), Fix(23.02 + minute / 1000, 113.75, 9.0, "gps")) for minute in range(60)
]


async def told_location(backend: ScriptedBackend, user: str, *, on: bool, version: int = 2) -> None:
    await backend.says(user, "config", version=version, location=on)
    await backend.hears("ack", user, ref="config", version=version)


async def located(bench: Bench, watch: SimWatch) -> str:
    """Pair the watch and turn its location on; return its user."""
    user = await bench.backend.pairs(watch, bench.watch_port)
    await told_location(bench.backend, user, on=True)
    return user


async def test_a_check_in_is_said_again_until_its_receipt_and_answers_locate(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await located(bench, watch)
        kept = watch.places.check_in(23.02, 113.75, 18, source="wifi")
        first, second = [await backend.hears("location", user) for _ in range(2)]
        assert first.fields == second.fields
        assert (first["lat"], first["lon"], first["acc"], first["source"]) == (23.02, 113.75, 18, "wifi")
        await backend.says(user, "receipt", ref=first["id"], code="stored")
        await watch.wait_stored(kept)
        await backend.says(user, "command", id="c1", kind="locate", by="g-1", ttl_s=90)
        assert (await backend.hears("location", user, reply_to="c1"))["lat"] == 23.02


async def test_with_location_off_no_fix_is_taken(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        with pytest.raises(WatchRefusedError, match="not paired"):
            watch.places.check_in(23.02, 113.75)
        user = await backend.pairs(watch, bench.watch_port)
        await told_location(backend, user, on=False)
        with pytest.raises(WatchRefusedError, match="location is off"):
            watch.places.check_in(23.02, 113.75)
        with pytest.raises(WatchRefusedError, match="location is off"):
            watch.places.walked(WAY, ended_at=WHEN)
        assert await watch.places.walk(WAY, speed=100_000) == []
        await backend.says(user, "command", id="c1", kind="locate", by="g-1", ttl_s=90)
        await backend.hears("ack", user, ref="c1", detail="location_off")
        assert watch.sent() == []
    assert backend.count("location") == 0


async def test_what_was_walked_without_a_network_goes_in_arrays_and_each_fix_is_answered(
    bench: Bench, tmp_path: Path
) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT) as watch:
        user = await located(bench, watch)
        await watch.go_offline()
        ended_at = WHEN + timedelta(days=200)
        kept = watch.places.walked(WAY, ended_at=ended_at)
        await watch.go_online()
        await backend.greets(user)
        fixes: list[dict[str, Any]] = []
        arrays = 0
        while len(fixes) < len(WAY):
            together = (await backend.hears("location", user))["together"]
            fixes += together
            arrays += 1
            refs = [fix["id"] for fix in together]
            await backend.says(
                user, "receipt", refs=refs[1:], code="stored", rejected=[{"ref": refs[0], "detail": "lat_out_of_range"}]
            )
        assert 2 <= arrays <= 3
        assert [fix["id"] for fix in fixes] == [row.wire_id for row in kept]
        assert [fix["tst"] for fix in fixes] == [int((ended_at - (WAY[-1].at - point.at)).timestamp()) for point in WAY]
        await watch.wait_settled()
        assert [message.state.value for message in watch.sent()].count("rejected") == arrays


async def test_an_array_without_a_receipt_comes_again_after_a_restart(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT) as watch:
        user = await located(bench, watch)
        await watch.go_offline()
        watch.places.walked(WAY[:3], ended_at=WHEN)
        await watch.go_online()
        await backend.greets(user)
        first = await backend.hears("location", user)
    async with bench.watch(tmp_path, timings=PATIENT) as watch:
        await backend.greets(user)
        again = await backend.hears("location", user)
        assert again.fields == first.fields
        await backend.says(user, "receipt", refs=[fix["id"] for fix in again["together"]], code="duplicate")
        await watch.wait_settled()


async def test_a_way_is_walked_in_its_own_pace_times_the_speed(bench: Bench, tmp_path: Path) -> None:
    async with bench.watch(tmp_path, timings=PATIENT) as watch:
        user = await located(bench, watch)
        kept = await watch.places.walk(WAY[:5], speed=2400)  # a minute in 25 ms
        assert len(kept) == 5
        heard = await bench.backend.hears("location", user)
        # Of the moment in which it was taken, not of the one in which it was recorded.
        assert abs(heard["tst"] - bench.backend.server_tst) < 60


async def test_counters_of_a_period_are_told_and_kept_until_their_receipt(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        with pytest.raises(WatchRefusedError):
            watch.usage.report()
        user = await backend.pairs(watch, bench.watch_port)
        watch.voice.record("family", seconds=0.5, seed=1)
        watch.voice.record("family", seconds=0.5, seed=2)
        first = watch.usage.report()
        usage = await backend.hears("usage", user)
        assert (usage["recordings"], usage["battery_min_pct"], usage["boot"], usage["reboots"]) == (2, 81, 1, 0)
        assert usage["to_tst"] >= usage["from_tst"] > 1_700_000_000
        assert usage["bytes_up"] > 0
        assert usage["bytes_down"] > 0
        assert "plays" not in usage.fields
        again = await backend.hears("usage", user)
        assert again.fields == usage.fields
        await backend.says(user, "receipt", ref=usage["id"], code="rejected", detail="id_conflict")
        fresh = await backend.hears("usage", user)
        assert fresh["id"] != usage["id"]
        await backend.says(user, "receipt", ref=fresh["id"], code="stored")
        await watch.wait_stored(first)
        watch.alerts.raise_alert(AlertKind.TAKEN_OFF)
        watch.usage.report()
        second = await backend.hears("usage", user, from_tst=usage["to_tst"])
        assert "recordings" not in second.fields


async def test_reports_come_by_themselves_by_the_watchs_own_clock(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await watch.usage.report_every(0.001)
        ids: set[str] = set()
        while len(ids) < 2:
            heard = (await backend.hears("usage", user)).fields
            # Reports that wait for the broker at the same time come as one batch.
            ids |= {report["id"] for report in heard.get("together", [heard])}
        await watch.usage.end_reporting()
