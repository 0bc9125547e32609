"""The place in an SOS is kept with a consent of its own, and with that one only."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import pytest
from sqlmodel import col, select

from services.core.location.checkins.sos_places import SosPlaceView, sos_places_of
from services.core.location.checkins.tables import Checkin, SosPlace
from services.core.people.consents.rules import Part
from services.core.people.households.queries import child_by_id
from tests.support.clock import FakeClock
from tests.support.places import agree, allow_places
from tests.support.watch import Stand
from tests.support.world import LONG_AGO, Home

PLACE = {"lat": 23.0277, "lon": 113.7533, "acc": 18, "alt": 31, "source": "gps"}
SOS = {"id": "a5d8k2m1w3pz", "kind": "sos", "location": PLACE}


async def _agree(stand: Stand, home: Home) -> None:
    async with stand.database.begin() as work:
        await agree(work, home.family_id, home.guardian_id, Part.SOS_PLACES)


async def _kept(stand: Stand, child_id: uuid.UUID) -> Sequence[SosPlaceView]:
    async with stand.database.begin() as work:
        child = await child_by_id(work, child_id)
        assert child is not None
        return list((await sos_places_of(work, child)).values())


async def test_with_the_consent_and_location_off_it_is_kept_once_and_sealed(stand: Stand, clock: FakeClock) -> None:
    home, worn = await stand.home(since=LONG_AGO)
    await _agree(stand, home)
    taken_at = int(clock.now.timestamp()) - 90
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello(tst=int(clock.now.timestamp()))
        for code in ("stored", "duplicate"):
            await watch.say("alert", {**SOS, "location": {**PLACE, "tst": taken_at}})
            assert (await watch.hears("receipt"))["code"] == code
    [kept] = await _kept(stand, home.child_id)
    assert (kept.place.point.lat, kept.place.point.lon, kept.place.altitude_m) == (23.0277, 113.7533, 31.0)
    assert (kept.accuracy_m, kept.source, kept.received_at) == (18.0, "gps", clock.now)
    assert kept.happened_at is not None
    assert kept.happened_at.timestamp() == taken_at
    async with stand.database.begin() as work:
        [row] = (await work.session.exec(select(SosPlace).where(col(SosPlace.child_id) == home.child_id))).all()
        # It is no check-in: location is off.
        refs = await work.session.exec(select(Checkin.ref).where(col(Checkin.child_id) == home.child_id))
        assert refs.all() == []
    assert "23.0277" not in row.model_dump_json(exclude={"sealed_place"})


async def test_the_consent_to_location_is_not_the_consent_to_places_in_an_sos(stand: Stand) -> None:
    home, worn = await stand.home()
    await allow_places(stand.database, home)
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.say("alert", SOS)
        assert (await watch.hears("receipt"))["code"] == "stored"
    assert await _kept(stand, home.child_id) == []


@pytest.mark.parametrize("kind", ["sos_cancelled", "fall", "taken_off", "low_battery"])
async def test_of_what_is_no_sos_no_place_is_kept(stand: Stand, kind: str) -> None:
    home, worn = await stand.home()
    await _agree(stand, home)
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.say("alert", {**SOS, "kind": kind})
        assert (await watch.hears("receipt"))["code"] == "stored"
    assert await _kept(stand, home.child_id) == []


async def test_an_sos_whose_place_is_nowhere_or_undated_is_taken_all_the_same(stand: Stand) -> None:
    home, worn = await stand.home()
    await _agree(stand, home)
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        for number, place in enumerate(({"lat": 91, "lon": 0}, {"lat": "x"}, {"lat": 1.5, "lon": 2.5})):
            await watch.say("alert", {**SOS, "id": f"a5d8k2m1w3p{number}", "location": place})
            assert (await watch.hears("receipt"))["code"] == "stored"
    [kept] = await _kept(stand, home.child_id)
    assert (kept.happened_at, kept.accuracy_m, kept.source) == (None, None, None)
