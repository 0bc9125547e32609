"""A recorded day through every process: what the watch walked without a network is read back at the parent's phone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlmodel import col, select

from services.core.devices.watches.tables import WatchIdentity
from services.core.measurement.tables import UsageReport
from services.device_sim.parent.parent import SimParent
from services.device_sim.watch.gpx import read_track
from services.device_sim.watch.watch import SimWatch
from tests.e2e.conftest import Play, pair
from tests.support.world import Home
from tests.vectors.tracks.make_tracks import DAY, FOLDER, SCHOOL, SHANGHAI, TRUTH, point
from tests.vectors.tracks.make_tracks import clock as moment

TRACK = read_track(FOLDER / "home_school_home.gpx")
# A fix each ten minutes at a place, and the last one or two of a stay may be poor.
SEEN_WITHIN = timedelta(minutes=25)
SAID_WITHIN = timedelta(minutes=5)
TRUE_STAYS = [("Home", "00:00", "07:15"), ("School", "07:40", "16:05"), ("Home", "16:32", "22:00")]


async def _look_after(home: Home, parent: SimParent) -> None:
    """Agree to places and to measurement, turn location on and draw both zones."""
    family, child, me = str(home.family_id), str(home.child_id), await parent.me()
    await parent.family.change_guardian(family, me.guardian_id, may_locate=True)
    for part in ("location", "measurement"):
        await parent.family.consent(family, part)
    await parent.places.change_settings(child, location=True)
    for name, place in (("Home", (0.0, 0.0)), ("School", SCHOOL)):
        await parent.places.draw_circle(child, name, *point(*place), 150)


async def _paired_at(play: Play, watch: SimWatch, at: datetime) -> None:
    async with play.database.begin() as work:
        identity = await work.session.get_one(WatchIdentity, watch.username)
        identity.issued_at = at
        work.add(identity)


async def _alarmed(watch: SimWatch, parent: SimParent, child: str) -> None:
    """Be away from home just now, by one exact fix: the parent is alarmed, and acknowledges."""
    await watch.wait_stored(watch.places.check_in(*point(700, 0), 9, source="gps"))
    latest = await parent.places.latest_place(child)
    assert latest.seen is not None
    assert (latest.seen.accuracy_m, latest.seen.zone) == (9, None)
    assert latest.seen.age_s < 60
    (alert,) = await parent.places.alerts(child)
    assert (alert.kind, alert.acknowledged_at) == ("zone_left", None)
    answered = await parent.places.acknowledge(child, alert.alert_id)
    assert answered.acknowledged_by == (await parent.me()).guardian_id


async def test_a_day_of_a_watch_without_a_network_is_told_as_it_truly_was(play: Play) -> None:
    home = await play.home()
    child = str(home.child_id)
    async with play.parent(home.phone) as parent, play.watch(home) as watch:
        await pair(watch, parent, child)
        await _look_after(home, parent)
        await watch.wait_until(lambda: watch.places.takes_fixes)
        # The recorded day becomes yesterday: the same minutes of a day that is over.
        yesterday = datetime.now(SHANGHAI).date() - timedelta(days=1)
        shift = timedelta(days=(yesterday - DAY.date()).days)
        # It is worn longer than that: what was measured before the pairing would be refused.
        await _paired_at(play, watch, moment("00:00") + shift - timedelta(days=1))
        await watch.go_offline()
        kept = watch.places.walked(TRACK, ended_at=TRACK[-1].at + shift)
        await watch.go_online()
        await watch.wait_settled(timeout_s=60)
        assert {message.state for message in watch.sent()} == {"stored"}

        day = await parent.places.day(child, yesterday)
        assert day.qualities.good + day.qualities.poor + day.qualities.bad == len(kept) == len(TRACK)
        assert (day.qualities.poor, day.qualities.bad) == (14, 4)
        assert [stay.zone.name if stay.zone else None for stay in day.stays] == [name for name, _, _ in TRUE_STAYS]
        for stay, (_, starts, ends) in zip(day.stays, TRUE_STAYS, strict=True):
            assert abs(stay.from_at - (moment(starts) + shift)) <= SEEN_WITHIN
            assert abs(stay.until_at - (moment(ends) + shift)) <= SEEN_WITHIN
        truth = TRUTH["home_school_home"]
        assert [(passage.kind, passage.zone.name) for passage in day.passages] == [
            (kind, zone) for kind, zone, _ in truth
        ]
        for passage, (_, _, happened) in zip(day.passages, truth, strict=True):
            assert timedelta() <= passage.happened_at - (moment(happened) + shift) <= SAID_WITHIN
            # It is over: nobody is woken for it.
            assert not passage.alarmed
        assert await parent.places.alerts(child) == []
        assert {zone.name: zone.stand for zone in await parent.places.zones(child)} == {
            "Home": "inside",
            "School": "outside",
        }

        await _alarmed(watch, parent, child)
        await watch.wait_stored(watch.usage.report())
    async with play.database.begin() as work:
        reports = list(await work.session.exec(select(UsageReport).where(col(UsageReport.family_id) == home.family_id)))
    (report,) = reports
    assert report.battery_min_pct == 81
    assert report.worn_s is not None
    assert report.ended_at is not None
    assert abs(datetime.now(UTC) - report.ended_at) < timedelta(minutes=5)


async def test_an_sos_is_answered_and_a_locate_told_where_the_child_is(play: Play) -> None:
    home = await play.home()
    child = str(home.child_id)
    async with play.parent(home.phone) as parent, play.watch(home) as watch:
        await pair(watch, parent, child)
        await _look_after(home, parent)
        await watch.wait_until(lambda: watch.places.takes_fixes)
        await watch.wait_stored(watch.alerts.raise_alert())
        (alert,) = await parent.places.alerts(child)
        assert alert.kind == "sos"
        await parent.places.acknowledge(child, alert.alert_id)
        assert (await watch.wait_for("alert_seen"))["seen_by"] == "g-1"

        watch.alerts.give_fix(*point(*SCHOOL), 18)
        given = await parent.places.command(child, "locate")
        answered = await watch.wait_for("command_answered", command_kind="locate")
        assert answered["state"] == "done"
        await watch.wait_settled()
        latest = await parent.places.latest_place(child)
        assert latest.seen is not None
        assert latest.seen.zone is not None
        assert latest.seen.zone.name == "School"
        states = {command.command_id: command.state for command in await parent.places.commands(child)}
        assert states[given.command_id] == "done"
