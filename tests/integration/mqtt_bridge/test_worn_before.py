"""A watch goes from one child to the next: what it measured on the wrist before stays out of the next family."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

from sqlalchemy import text
from sqlmodel import col, select

from services.core.devices.alerts.tables import Alert
from services.core.devices.watches.queries import watch_by_serial
from services.core.location.checkins.tables import SosPlace
from services.core.pairing.actions import unpair_child
from services.core.pairing.rules import UnpairReason
from services.core.people.consents.rules import Part
from tests.support.clock import FakeClock
from tests.support.places import agree, allow_places, on_wire
from tests.support.watch import Stand
from tests.support.world import Home, Worn, make_home, wear


async def _unpaired(stand: Stand, home: Home) -> None:
    async with stand.database.begin() as work:
        await unpair_child(work, home.guardian_id, home.child_id, UnpairReason.UNPAIRED)


async def _given_on(stand: Stand, home: Home) -> tuple[Home, Worn]:
    """Have another family, whose child wears the first one's watch from now on."""
    other = dataclasses.replace(await make_home(stand.database), serial=home.serial, secret=home.secret)
    async with stand.database.begin() as work:
        watch = await watch_by_serial(work, home.serial)
        assert watch is not None
        watch.handed_out_to = other.family_id
        work.add(watch)
    worn = await wear(stand.database, other)
    await allow_places(stand.database, other)
    await stand.install()
    return other, worn


async def _kept(stand: Stand, home: Home) -> set[str]:
    async with stand.database.begin() as work:
        rows = await work.run(text("SELECT ref FROM checkin WHERE child_id = :id"), {"id": home.child_id})
        return set(rows.scalars())


async def test_what_it_held_of_the_child_before_is_refused_and_kept_for_nobody(stand: Stand, clock: FakeClock) -> None:
    first, _ = await stand.home()
    await allow_places(stand.database, first)
    clock.advance(minutes=10)
    of_the_first = on_wire(clock.now)
    clock.advance(minutes=10)
    await _unpaired(stand, first)
    of_nobody = on_wire(clock.now + timedelta(minutes=5))
    clock.advance(minutes=10)
    second, worn = await _given_on(stand, first)
    clock.advance(seconds=30)
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello(tst=int(clock.now.timestamp()), boot=7, mono_s=100)
        its_own = on_wire(clock.now)
        # Without a date, and of a boot before the one in which the new family's credentials came.
        undated, undated_now = (on_wire(clock.now, tst=0, boot=boot, mono_s=90 + boot) for boot in (6, 7))
        await watch.say("location", [of_the_first, of_nobody, its_own, undated, undated_now])
        answer = await watch.hears("receipt")
        assert answer["refs"] == [its_own["id"], undated_now["id"]]
        assert [(rejection["ref"], rejection["detail"]) for rejection in answer["rejected"]] == [
            (fix["id"], "before_pairing") for fix in (of_the_first, of_nobody, undated)
        ]
        await watch.say("location", of_the_first)
        answer = await watch.hears("receipt")
        assert (answer["code"], answer["detail"]) == ("rejected", "before_pairing")
    assert await _kept(stand, second) == {its_own["id"], undated_now["id"]}
    assert await _kept(stand, first) == set()


async def test_a_slow_clock_makes_no_stranger_of_the_wearer(stand: Stand, clock: FakeClock) -> None:
    home, worn = await stand.home()
    await allow_places(stand.database, home)
    clock.advance(seconds=3)
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        for nonce, behind in (("n1", timedelta(seconds=50)), ("n2", timedelta(days=3000))):
            await watch.hello(tst=int((clock.now - behind).timestamp()), conn=nonce)
            fix = on_wire(clock.now - behind)
            await watch.say("location", fix)
            answer = await watch.hears("receipt")
            assert (answer["ref"], answer["code"]) == (fix["id"], "stored")


async def test_the_same_child_paired_again_keeps_what_it_walked_before(stand: Stand, clock: FakeClock) -> None:
    home, _ = await stand.home()
    await allow_places(stand.database, home)
    clock.advance(minutes=10)
    worn_then = on_wire(clock.now)
    clock.advance(minutes=10)
    await _unpaired(stand, home)
    clock.advance(minutes=10)
    between = on_wire(clock.now)
    clock.advance(minutes=10)
    worn = await wear(stand.database, home)
    await stand.install()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.say("location", [worn_then, between])
        answer = await watch.hears("receipt")
        assert answer["refs"] == [worn_then["id"]]
        assert [(rejection["ref"], rejection["detail"]) for rejection in answer["rejected"]] == [
            (between["id"], "before_pairing")
        ]


async def test_an_sos_is_never_held_back_but_comes_without_the_place_of_another_child(
    stand: Stand, clock: FakeClock
) -> None:
    first, _ = await stand.home()
    await _unpaired(stand, first)
    old = clock.now - timedelta(minutes=5)
    second, worn = await _given_on(stand, first)
    async with stand.database.begin() as work:
        await agree(work, second.family_id, second.guardian_id, Part.SOS_PLACES)
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        for number, at in enumerate((old, clock.now)):
            place = {"lat": 23.02, "lon": 113.75, "acc": 12, "tst": int(at.timestamp())}
            ref = f"a5d8k2m1w3p{number}"
            await watch.say("alert", {"id": ref, "kind": "sos", "tst": int(clock.now.timestamp()), "location": place})
            answer = await watch.hears("receipt")
            assert (answer["ref"], answer["code"]) == (ref, "stored")
            clock.advance(minutes=10)
    async with stand.database.begin() as work:
        alerts = await work.session.exec(
            select(Alert.alert_id).where(Alert.child_id == second.child_id).order_by(col(Alert.happened_at))
        )
        places = await work.session.exec(select(SosPlace.alert_id).where(SosPlace.child_id == second.child_id))
        raised = list(alerts)
        assert len(raised) == 2
        assert list(places) == raised[1:]
