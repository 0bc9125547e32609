"""Settings and requests of parents as the child sees them: through every process and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlmodel import col

from services.core.people.consents.tables import Consent
from services.device_sim.parent.parent import SimParent
from services.device_sim.watch.watch import SimWatch
from tests.e2e.conftest import Play, pair
from tests.support.world import Home

SHANGHAI = ZoneInfo("Asia/Shanghai")


async def _changed(watch: SimWatch, parent: SimParent, child: str, **changes: object) -> None:
    settings = await parent.places.change_settings(child, **changes)
    await watch.wait_until(lambda: watch.config_version == settings.version)


async def test_quiet_hours_keep_messages_silent_and_an_sos_loud(play: Play) -> None:
    home = await play.home()
    child = str(home.child_id)
    async with play.parent(home.phone) as parent, play.watch(home) as watch:
        await pair(watch, parent, child)
        now = datetime.now(SHANGHAI)
        around = {
            "days": list(range(1, 8)), "starts": f"{now - timedelta(hours=2):%H:%M}",
            "ends": f"{now + timedelta(hours=2):%H:%M}",
        }  # fmt: skip
        await _changed(watch, parent, child, quiet=[around])
        assert watch.clock.is_quiet
        await parent.write(child, "in class")
        assert (await watch.wait_for("received", text="in class"))["silent"]
        await watch.wait_stored(watch.alerts.raise_alert())
        (alert,) = await parent.places.alerts(child)
        await parent.places.acknowledge(child, alert.alert_id)
        assert (await watch.wait_for("alert_seen"))["seen_by"] == "g-1"
        await _changed(watch, parent, child, quiet=[])
        await parent.write(child, "after class")
        assert not (await watch.wait_for("received", text="after class"))["silent"]


async def test_a_shift_is_shown_on_the_watch_and_the_child_sees_who_looked(play: Play) -> None:
    home = await play.home()
    child, family = str(home.child_id), str(home.family_id)
    async with play.parent(home.phone) as parent, play.watch(home) as watch:
        await pair(watch, parent, child)
        until = (datetime.now(UTC) + timedelta(hours=3)).replace(second=0, microsecond=0)
        await parent.places.set_busy(until)
        await watch.wait_until(lambda: any(watch.clock.on_shift_until(contact.id) for contact in watch.contacts()))
        # On the child's clock, once the watch knows its settings: contacts may come before them.
        local = f"{until.astimezone(SHANGHAI):%H:%M}"
        await watch.wait_until(lambda: (watch.clock.on_shift_until("g-1") or "").endswith(local))
        await parent.places.set_busy(None)
        await watch.wait_until(lambda: watch.clock.on_shift_until("g-1") is None)

        await _locate(home, parent, watch, family)


async def _locate(home: Home, parent: SimParent, watch: SimWatch, family: str) -> None:
    child, me = str(home.child_id), (await parent.me()).guardian_id
    await parent.family.change_guardian(family, me, may_locate=True)
    await parent.family.consent(family, "location")
    await _changed(watch, parent, child, location=True)
    watch.alerts.give_fix(23.02, 113.75, 18)
    await parent.places.command(child, "locate")
    seen = await watch.wait_for("command_answered", command_kind="locate")
    # The name under which this guardian stands in the child's list, and no other.
    assert [contact.id for contact in watch.contacts() if contact.id == seen["by"]] == ["g-1"]
    await watch.wait_settled()
    (given,) = [command for command in await parent.places.commands(child) if command.kind == "locate"]
    assert given.state == "done"


async def test_a_watch_that_is_found_again_is_opened_and_says_so(play: Play) -> None:
    home = await play.home()
    child = str(home.child_id)
    async with play.parent(home.phone) as parent, play.watch(home) as watch:
        await pair(watch, parent, child)
        await parent.places.command(child, "lost")
        await watch.wait_for("locked")
        is_locked = watch.is_locked
        assert is_locked
        await parent.places.command(child, "found")
        assert (await watch.wait_for("unlocked"))["by"] == "g-1"
        assert not watch.is_locked
        await watch.wait_stored(watch.write("family", "it was under the bed"))
        assert {command.kind: command.state for command in await parent.places.commands(child)} == {
            "lost": "done",
            "found": "done",
        }


async def test_a_parent_reads_who_is_responsible_and_is_asked_one_question_a_day(play: Play) -> None:
    home = await play.home()
    family = str(home.family_id)
    async with play.parent(home.phone) as parent:
        notice = await parent.family.privacy_notice(family, "vi")
        assert (notice.locale, notice.is_fictional) == ("vi", True)
        assert await parent.family.question(family) is None, "on the first day messages alone are asked for"
        async with play.database.begin() as work:
            await work.run(update(Consent).values(given_at=col(Consent.given_at) - timedelta(days=1)))
        question = await parent.family.question(family)
        assert question is not None
        assert question.subject == "location"
        await parent.family.not_now(family, question)
        assert await parent.family.question(family) is None
        given = await parent.family.consent(family, "location")
        assert (given.notice_version, given.newer_version) == (notice.notice_version, None)
