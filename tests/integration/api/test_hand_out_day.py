"""The day of a hand-out beyond its plan: the wall by a signed address, more time, and pairs from paper."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
from sqlmodel import col, select

from services.core.devices.watches.tables import Watch, WatchGiven
from services.core.platform.db.database import Database
from services.core.platform.facts.tables import Fact
from tests.support.clock import FakeClock
from tests.support.http import Place, enrol_family, make_family, make_place, new_address, new_phone
from tests.support.staff_http import StaffMember, make_staff, renewed
from tests.support.world import make_watch


class Day:
    """A coordinator at a site with three families and three watches, and an open hand-out."""

    def __init__(self, client: httpx.AsyncClient, database: Database, place: Place, member: StaffMember) -> None:
        self.client, self.database, self.place, self.member = client, database, place, member
        self.codes: list[str] = []
        self.serials: list[str] = []
        self.site = ""
        self.hand_out: dict[str, Any] = {}

    async def wall(self, url: str | None = None) -> httpx.Response:
        token = (url or self.hand_out["wall_url"]).partition("#")[2]
        return await self.client.get(f"/v1/walls/{token}", headers={"X-Forwarded-For": new_address()})

    async def prolong(self, member: StaffMember, closes_at: datetime) -> httpx.Response:
        path = f"{self.site}/hand-outs/{self.hand_out['hand_out_id']}/prolong"
        return await member.ask("POST", path, json={"closes_at": closes_at.isoformat()})

    async def paper(self, *pairs: tuple[str, str], at: datetime | None = None, dry_run: bool = False) -> Any:
        entries = [{"scan": scan, "family_code": code} for scan, code in pairs]
        body = {"pairs": entries, "given_at": (at or self.database.clock()).isoformat(), "dry_run": dry_run}
        return await self.member.told("POST", f"{self.site}/watch-hand-outs/paper", json=body)


async def _day(client: httpx.AsyncClient, database: Database) -> Day:
    place = await make_place(database)
    day = Day(client, database, place, await make_staff(client, database, place, "coordinator"))
    day.site = f"/v1/staff/sites/{place.site.site_id}"
    day.hand_out = await day.member.told("POST", f"{day.site}/hand-outs", json={"families": 3, "minutes": 60})
    for _ in range(3):
        await enrol_family(database, new_phone(), place)
        async with database.begin() as work:
            day.serials.append((await make_watch(work, place.site.site_id, None))[0].serial)
    families = await day.member.told("GET", f"{day.site}/families")
    day.codes = [family["family_code"] for family in families["families"]]
    return day


async def test_the_wall_survives_a_reload_counts_and_ends_with_the_hand_out(
    client: httpx.AsyncClient, database: Database
) -> None:
    day = await _day(client, database)
    # The list tells the same address again: no new hand-out is needed after a reload.
    (listed,) = (await day.member.told("GET", f"{day.site}/hand-outs"))["hand_outs"]
    assert listed["wall_url"] == day.hand_out["wall_url"]
    shown = (await day.wall()).json()
    assert shown["code"] == day.hand_out["code"]
    assert shown["log_in_url"].endswith(f"/log-in#wall={day.hand_out['code']}")
    assert (shown["enrolled"], shown["given"], shown["paired"]) == (3, 0, 0)
    await day.paper((day.serials[0], day.codes[0]))
    again = await day.wall()
    assert again.json()["given"] == 1
    # Counts only: no family, no watch, no number.
    assert all(code not in again.text for code in (*day.codes, *day.serials))
    for wrong in ("x" * 43, day.hand_out["wall_url"].partition("#")[2][:-2] + "AA"):
        assert (await day.wall(f"#{wrong}")).status_code == 404
    closed = await day.member.told("POST", f"{day.site}/hand-outs/{day.hand_out['hand_out_id']}/close")
    assert closed["wall_url"] is None
    answer = await day.wall()
    assert (answer.status_code, answer.json()["code"]) == (403, "hand_out_closed")


async def test_who_opened_it_keeps_it_open_for_six_hours_with_the_same_code(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    day = await _day(client, database)
    opened_at = database.clock()
    closes_at = opened_at + timedelta(hours=3)
    answer = (await day.prolong(day.member, closes_at)).json()
    assert datetime.fromisoformat(answer["closes_at"]) == closes_at
    # A repeat, and an earlier end, change nothing.
    for at in (closes_at, opened_at + timedelta(hours=2)):
        assert datetime.fromisoformat((await day.prolong(day.member, at)).json()["closes_at"]) == closes_at
    colleague = await make_staff(client, database, day.place, "manager")
    refused = await day.prolong(colleague, opened_at + timedelta(hours=4))
    assert (refused.status_code, refused.json()["code"]) == (403, "hand_out_of_colleague")
    refused = await day.prolong(day.member, opened_at + timedelta(hours=6, minutes=1))
    assert (refused.status_code, refused.json()["code"]) == (422, "hand_out_too_long")
    clock.advance(hours=2, minutes=30)
    day.member = await renewed(day.member, database)
    assert (await day.wall()).json()["code"] == day.hand_out["code"]
    last = (await day.prolong(day.member, opened_at + timedelta(hours=6))).json()
    assert last["may_prolong"] is False
    clock.advance(hours=4)
    day.member = await renewed(day.member, database)
    refused = await day.prolong(day.member, opened_at + timedelta(hours=6))
    assert (refused.status_code, refused.json()["code"]) == (403, "hand_out_closed")


async def test_pairs_from_paper_stand_at_the_papers_time_or_not_at_all(
    client: httpx.AsyncClient, database: Database
) -> None:
    day = await _day(client, database)
    at = database.clock() - timedelta(minutes=40)
    first, second, third = zip(day.serials, day.codes, strict=True)
    tried = await day.paper(first, second, at=at, dry_run=True)
    assert (tried["taken"], tried["handed_out"], tried["faults"]) == (False, 2, [])
    wrong = await day.paper(first, (second[0], "F-NONE"), ("NONE0001", third[1]), (first[0], second[1]), at=at)
    assert [(fault["row"], fault["column"], fault["code"]) for fault in wrong["faults"]] == [
        (2, "family_code", "family_unknown"),
        (3, "scan", "watch_unknown"),
        (4, "scan", "watch_handed_out"),
    ]
    assert wrong["faults"][2]["family_code"] == first[1]
    assert wrong["taken"] is False
    assert await _given(database, day.serials) == []
    entered = await day.paper(first, second, first, at=at)
    assert (entered["taken"], entered["handed_out"], entered["unchanged"]) == (True, 2, 1)
    assert await _given(database, day.serials) == [at, at]
    async with database.begin() as work:
        watches = select(Watch.watch_id).where(col(Watch.serial).in_(day.serials))
        of_day = select(Fact.happened_at).where(Fact.kind == "watch_handed_out", col(Fact.watch_id).in_(watches))
        assert set(await work.session.exec(of_day)) == {at}
    again = await day.paper(first, second, third, at=at)
    assert (again["handed_out"], again["unchanged"]) == (1, 2)
    for beyond in (timedelta(hours=1), timedelta(days=-8)):
        body = {"pairs": [{"scan": first[0], "family_code": first[1]}], "given_at": (at + beyond).isoformat()}
        path = f"{day.site}/watch-hand-outs/paper"
        assert await day.member.refused("POST", path, json=body) == (422, "paper_time_wrong")


async def test_a_watch_of_another_site_is_unknown_on_paper(client: httpx.AsyncClient, database: Database) -> None:
    day = await _day(client, database)
    elsewhere = await make_place(database)
    async with database.begin() as work:
        foreign = (await make_watch(work, elsewhere.site.site_id, None))[0].serial
    stranger = await make_family(client, database, elsewhere)
    entered = await day.paper((foreign, day.codes[0]), (day.serials[0], f"F-{stranger.family_id}"[:12]))
    assert [fault["code"] for fault in entered["faults"]] == ["watch_unknown", "family_unknown"]


async def _given(database: Database, serials: list[str]) -> list[datetime]:
    async with database.begin() as work:
        given_ats = await work.session.exec(
            select(WatchGiven.given_at)
            .join(Watch, col(Watch.watch_id) == col(WatchGiven.watch_id))
            .where(col(Watch.serial).in_(serials))
        )
        return list(given_ats)
