"""Wrong positions and wrong dates through the broker: the child stays where it is, and staff see the faulty device."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from services.core.devices.alerts.tables import Alert
from services.core.devices.watches.tables import WatchIdentity
from services.core.location.checkins.queries import latest_place
from services.core.location.checkins.tables import Checkin, ZonePassage
from services.core.location.geometry import Circle, Point, distance_m
from services.core.location.zones.actions import create_zone
from services.core.people.households.tables import Child
from tests.integration.mqtt_bridge.test_locations import Wearer, wearers
from tests.support.places import HOME, away, on_wire
from tests.support.watch import HandWatch, Stand

WRONG = away(80_000, 0)
WEEKS_1024 = timedelta(weeks=1_024)


async def send(watch: HandWatch, *fixes: dict[str, Any]) -> None:
    """Send fixes one by one; each is stored."""
    for fix in fixes:
        await watch.say("location", fix)
        answer = await watch.hears("receipt")
        assert (answer["ref"], answer["code"]) == (fix["id"], "stored"), answer


@dataclass(frozen=True)
class Seen:
    """The place shown to a child's guardians."""

    place: Point
    passages: list[str]
    alerts: list[str]


async def seen(stand: Stand, walker: Wearer) -> Seen:
    """Return the child's place, passages and alerts."""
    async with stand.database.begin() as work:
        child = await work.session.get_one(Child, walker.home.child_id)
        view = await latest_place(work, child)
        assert view.place is not None
        passages = await work.session.exec(
            select(ZonePassage.kind)
            .where(col(ZonePassage.child_id) == child.child_id)
            .order_by(col(ZonePassage.happened_at))
        )
        alerts = await work.session.exec(select(Alert.kind).where(col(Alert.child_id) == child.child_id))
        return Seen(view.place.point, list(passages), list(alerts))


async def draw(stand: Stand, walker: Wearer) -> None:
    """Draw a safe zone around home."""
    async with stand.database.begin() as work:
        child = await work.session.get_one(Child, walker.home.child_id)
        await create_zone(work, child, walker.home.guardian_id, "Home", Circle(HOME, 200), [])


def wifi(at: datetime, point: Point = WRONG) -> dict[str, Any]:
    """Return a fix by Wi-Fi, sure of itself."""
    return on_wire(at, point, acc=40, source="wifi")


@pytest.mark.parametrize("as_array", [False, True])
async def test_copies_of_one_wrong_answer_neither_move_nor_alarm(stand: Stand, *, as_array: bool) -> None:
    now = stand.database.clock()
    async with stand.bridge(), wearers(stand) as [walker]:
        await draw(stand, walker)
        await send(walker.watch, *(on_wire(now - timedelta(seconds=s), acc=12) for s in (120, 60)))
        copies = [wifi(now - timedelta(seconds=40 - number)) for number in range(4)]
        if as_array:
            await walker.watch.say("location", copies)
            assert (await walker.watch.hears("receipt"))["code"] == "stored"
        else:
            await send(walker.watch, *copies)
        shown = await seen(stand, walker)
        assert (shown.passages, shown.alerts) == ([], [])
        assert distance_m(shown.place, HOME) < 1
        last = on_wire(now, away(15, 0), acc=12)
        await send(walker.watch, last)
        shown = await seen(stand, walker)
        assert (shown.passages, shown.alerts) == ([], [])
        # The good fix is not distrusted.
        assert distance_m(shown.place, away(15, 0)) < 1


async def test_copies_alarm_nobody_even_where_the_way_is_possible(stand: Stand) -> None:
    now = stand.database.clock()
    async with stand.bridge(), wearers(stand) as [walker]:
        await draw(stand, walker)
        await send(walker.watch, *(on_wire(now - timedelta(seconds=s), acc=12) for s in (1_560, 1_500)))
        await send(walker.watch, *(wifi(now - timedelta(seconds=40 - 10 * number)) for number in range(4)))
        shown = await seen(stand, walker)
        assert (shown.passages, shown.alerts) == ([], [])
        # A precise GPS fix wins at once, though it is 80 km from what the network said a second before.
        await send(walker.watch, on_wire(now, away(15, 0), acc=12))
        shown = await seen(stand, walker)
        assert (shown.passages, shown.alerts) == ([], [])
        assert distance_m(shown.place, away(15, 0)) < 1


@pytest.mark.parametrize(
    "confirmation",
    [
        {"source": "gps", "acc": 45},
        {"source": "cell", "acc": 90},
        {"source": "wifi", "acc": 40, "point": away(80_060, 0)},
    ],
)
async def test_another_source_or_a_moved_place_confirms(stand: Stand, confirmation: dict[str, Any]) -> None:
    now = stand.database.clock()
    async with stand.bridge(), wearers(stand) as [walker]:
        await send(walker.watch, on_wire(now - timedelta(seconds=60), acc=12), wifi(now - timedelta(seconds=40)))
        fields = {"point": WRONG, **confirmation}
        await send(walker.watch, on_wire(now, **fields))
        assert distance_m((await seen(stand, walker)).place, fields["point"]) < 1


async def test_the_same_answer_is_believed_once_the_way_is_possible(stand: Stand) -> None:
    now = stand.database.clock()
    async with stand.bridge(), wearers(stand) as [walker]:
        await draw(stand, walker)
        minutes = (20, 19, 6, 3)
        await send(walker.watch, on_wire(now - timedelta(minutes=24), acc=12))
        await send(walker.watch, *(wifi(now - timedelta(minutes=minute)) for minute in minutes))
        # 80 km in 18 minutes is possible; that the child left needs a second scan.
        shown = await seen(stand, walker)
        assert distance_m(shown.place, WRONG) < 1
        assert shown.passages == []
        await send(walker.watch, wifi(now))
        assert (await seen(stand, walker)).passages == ["left"]


@dataclass(frozen=True)
class Kept:
    """A stored fix."""

    reasons: list[str]
    happened_at: datetime


async def kept(stand: Stand, ref: str) -> Kept:
    """Return a stored fix by its id."""
    async with stand.database.begin() as work:
        row = (await work.session.exec(select(Checkin).where(col(Checkin.ref) == ref))).one()
        return Kept(row.reasons.split(), row.happened_at)


async def misdated(stand: Stand, walker: Wearer) -> list[int]:
    """Return the count of the watch, if it has any; staff are told of five watches or more."""
    async with stand.database.begin() as work:
        identity = await work.session.get_one(WatchIdentity, walker.worn.username)
        return [identity.misdated_fixes] if identity.misdated_fixes else []


@pytest.mark.parametrize(
    ("dated", "expected"),
    [
        (lambda now: now - WEEKS_1024, ["clock_corrected"]),
        (lambda now: now - WEEKS_1024 - timedelta(hours=20), ["clock_corrected"]),
        (lambda now: now - WEEKS_1024 - timedelta(days=3), ["undated"]),
        (lambda now: now - WEEKS_1024 + timedelta(days=3), ["undated"]),
        (lambda _: datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), ["undated"]),
        (lambda _: datetime(1980, 1, 6, 3, tzinfo=UTC), ["undated"]),
    ],
)
async def test_a_fix_with_an_impossible_date_is_kept_and_counted(stand: Stand, dated: Any, expected: list[str]) -> None:
    now = stand.database.clock()
    async with stand.bridge(), wearers(stand) as [walker]:
        # The clock of the watch is right; only its GPS module is not.
        await walker.watch.hello(tst=int(now.timestamp()))
        fix = on_wire(dated(now))
        await send(walker.watch, fix)
        row = await kept(stand, fix["id"])
        assert row.reasons == expected
        assert now - timedelta(days=1) <= row.happened_at <= now
        await walker.watch.say("location", fix)
        assert (await walker.watch.hears("receipt"))["code"] == "duplicate"
        assert await misdated(stand, walker) == [1]


async def test_what_was_measured_before_the_pairing_stays_rejected(stand: Stand) -> None:
    now = stand.database.clock()
    async with stand.bridge(), wearers(stand) as [walker]:
        async with stand.database.begin() as work:
            identity = await work.session.get_one(WatchIdentity, walker.worn.username)
            identity.issued_at = now - timedelta(hours=1)
            work.add(identity)
        await walker.watch.hello(tst=int(now.timestamp()), boot=7)
        # Dated right, rolled over, or dated by the boot: it may be the place of the child before.
        for fix in (
            on_wire(now - timedelta(hours=2)),
            on_wire(now - WEEKS_1024 - timedelta(hours=2)),
            on_wire(datetime(1980, 1, 6, 3, tzinfo=UTC), boot=6),
        ):
            await walker.watch.say("location", fix)
            answer = await walker.watch.hears("receipt")
            assert (answer["code"], answer["detail"]) == ("rejected", "before_pairing")
        assert await misdated(stand, walker) == []


async def test_fixes_without_id_and_with_one_impossible_date_are_all_kept(stand: Stand) -> None:
    now = stand.database.clock()
    async with stand.bridge(), wearers(stand) as [walker]:
        await walker.watch.hello(tst=int(now.timestamp()))
        stuck = datetime(1980, 1, 6, tzinfo=UTC)
        for east_m in (0, 30, 60):
            fix = on_wire(stuck, away(east_m, 0))
            del fix["id"]
            await walker.watch.say("location", fix)
        await send(walker.watch, on_wire(now))
        assert await misdated(stand, walker) == [3]
