"""Slips at the hand-out are undone, watches are replaced, SIM cards noted."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlmodel import col, select

from services.core.devices.watches import errors
from services.core.devices.watches.rules import WatchRow
from services.core.devices.watches.tables import SimMonth, Watch
from services.core.office.enrolment.actions import enrol_families, read_family_list
from services.core.office.hand_outs.roster import roster
from services.core.office.hand_outs.watches import Undone, hand_out_watch, undo_last_hand_out
from services.core.office.hand_outs.withdrawal import replace_watch, withdraw_watch
from services.core.office.registration.actions import register_for_vendor
from services.core.office.registration.inventory import list_watches
from services.core.office.sim_cards.actions import SimsNoted, read_sim_list, record_sims
from services.core.people.programme.queries import site_named
from services.core.platform.audit.actions import OPERATOR, Actor
from services.core.platform.db.database import Database
from services.core.platform.spreadsheets.sheets import SheetRefusedError
from tests.support.clock import FakeClock

LIN = Actor("staff", "lin")


def somebody() -> Actor:
    """Return a member of staff with no hand-out of an earlier test to undo."""
    return Actor("staff", uuid.uuid4().hex)


@pytest.fixture(scope="module")
async def watches(
    database: Database, watch_list: Callable[..., list[WatchRow]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = [*watch_list(*(f"SL{n:02d}" for n in range(20))), *watch_list("SH01", site="Huizhou")]
    families = "\n".join(
        ["family_code,phone,site,cohort", *(f"S-{n:02d},138001390{n:02d},Dongguan,2026A" for n in range(10))]
    )
    async with database.begin() as work:
        await register_for_vendor(work, OPERATOR, rows, tmp_path_factory.mktemp("vendor") / Path("vendor.csv"))
    async with database.begin() as work:
        await enrol_families(work, OPERATOR, read_family_list(families.encode()))


async def hand_out(database: Database, actor: Actor, serial: str, code: str) -> bool:
    async with database.begin() as work:
        return await hand_out_watch(work, actor, serial, code)


async def undo(database: Database, actor: Actor) -> Undone:
    async with database.begin() as work:
        return await undo_last_hand_out(work, actor)


async def shelf(database: Database, serial: str) -> tuple[str, str | None]:
    async with database.begin() as work:
        return next((e.state, e.family_code) for e in await list_watches(work) if e.serial == serial)


@pytest.mark.usefixtures("watches")
async def test_the_last_hand_out_of_each_hand_is_undone_and_no_other(database: Database, clock: FakeClock) -> None:
    lin, mei = somebody(), somebody()
    await hand_out(database, lin, "smartwatch:serial:SL00", "S-00")
    clock.advance(seconds=5)
    await hand_out(database, mei, "SL01", "S-01")
    clock.advance(seconds=5)
    await hand_out(database, lin, " SL02 ", "S-02")

    assert await undo(database, lin) == Undone("SL02", "S-02")
    assert await shelf(database, "SL02") == ("registered", None)
    assert await shelf(database, "SL01") == ("handed_out", "S-01")
    assert await undo(database, lin) == Undone("SL00", "S-00")
    with pytest.raises(errors.NothingToUndoError):
        await undo(database, lin)
    assert await hand_out(database, lin, "SL02", "S-00")
    clock.advance(hours=2)
    with pytest.raises(errors.NothingToUndoError):
        await undo(database, lin)


@pytest.mark.usefixtures("watches")
async def test_two_taps_on_undo_take_back_one(database: Database) -> None:
    lin = somebody()
    await hand_out(database, lin, "SL03", "S-03")
    outcomes = await asyncio.gather(undo(database, lin), undo(database, lin), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NothingToUndoError", "Undone"]


@pytest.mark.usefixtures("watches")
async def test_a_watch_that_went_on_is_not_undone(database: Database) -> None:
    mei = somebody()
    await hand_out(database, mei, "SL04", "S-04")
    async with database.begin() as work:
        await withdraw_watch(work, OPERATOR, "SL04", "returned")
    with pytest.raises(errors.NothingToUndoError):
        await undo(database, mei)
    assert await shelf(database, "SL04") == ("returned", None)


@pytest.mark.usefixtures("watches")
@pytest.mark.parametrize(("old", "new", "state"), [("SL05", "SL06", "lost"), ("SL07", "SL08", "returned")])
async def test_a_replacement_can_be_repeated(database: Database, old: str, new: str, state: str) -> None:
    code = f"S-{old[2:]}"
    await hand_out(database, LIN, old, code)
    for expected in (True, False):
        async with database.begin() as work:
            assert await replace_watch(work, LIN, old, f"smartwatch:serial:{new}", state) is expected
    assert (await shelf(database, old))[0] == state
    assert await shelf(database, new) == ("handed_out", code)


@pytest.mark.usefixtures("watches")
async def test_what_cannot_be_a_replacement_is_refused_and_nothing_is_done(database: Database) -> None:
    await hand_out(database, LIN, "SL09", "S-09")
    async with database.begin() as work:
        for new, refused in (
            ("SL09", errors.WatchStateError), ("SH01", errors.WatchOfOtherSiteError),
            ("NONE1", errors.WatchUnknownError),
        ):  # fmt: skip
            with pytest.raises(refused):
                await replace_watch(work, LIN, "SL09", new, "lost")
        with pytest.raises(errors.WatchStateError):
            await replace_watch(work, LIN, "SL10", "SL11", "lost")
    assert await shelf(database, "SL09") == ("handed_out", "S-09")


@pytest.mark.usefixtures("watches")
async def test_the_list_to_sign_has_every_enrolled_family_once_by_code(database: Database) -> None:
    async with database.begin() as work:
        site = await site_named(work, "Dongguan")
        whole = await roster(work, site)
        pages = await roster(work, site, most=4)
        pages += await roster(work, site, after=pages[-1].family_code)
    assert pages == whole
    assert [entry.family_code for entry in whole] == [f"S-{n:02d}" for n in range(10)]


async def note(database: Database, *rows: str) -> SimsNoted:
    listed = read_sim_list("\n".join(["serial,iccid,number,holder,expires,quota_mb,month,used_mb", *rows]).encode())
    async with database.begin() as work:
        return await record_sims(work, OPERATOR, listed)


@pytest.mark.usefixtures("watches")
async def test_sim_cards_are_noted_month_by_month_and_a_repeat_changes_nothing(database: Database) -> None:
    february = "SL12,89860012345678901201,13800139912,Programme,2027-01-31,100,2026-02,80"
    assert await note(database, february) == SimsNoted(["SL12"], [])
    assert await note(database, february) == SimsNoted([], ["SL12"])
    assert await note(database, "SL12,,,,,,2026-02,95") == SimsNoted(["SL12"], [])
    assert await note(database, "SL12,,,,,,2026-03,7") == SimsNoted(["SL12"], [])
    async with database.begin() as work:
        watch = (await work.session.exec(select(Watch).where(Watch.serial == "SL12"))).one()
        months = await work.session.exec(select(SimMonth).where(col(SimMonth.watch_id) == watch.watch_id))
        used = {month.month: month.used_mb for month in months}
    assert (watch.sim_number, watch.sim_quota_mb) == ("+8613800139912", 100)
    assert used == {date(2026, 2, 1): 95, date(2026, 3, 1): 7}


@pytest.mark.usefixtures("watches")
async def test_a_list_of_sim_cards_with_faults_changes_nothing(database: Database) -> None:
    await note(database, "SL13,89860012345678901213,,,,,,")
    with pytest.raises(SheetRefusedError) as refused:
        await note(
            database,
            "SL14,8.98600123456789E+19,,,31.1.2027,ten,2026-13,5",
            "SL/15,,,,,,2026-02,",
            "SL14,,,,,,,",
        )
    assert [(fault.row, fault.column, fault.code) for fault in refused.value.faults] == [
        (2, "expires", "expires_malformed"),
        (2, "iccid", "iccid_rounded"),
        (2, "month", "month_malformed"),
        (2, "quota_mb", "quota_mb_malformed"),
        (3, "month", "month_incomplete"),
        (3, "serial", "serial_malformed"),
        (4, "serial", "serial_repeated"),
    ]
    with pytest.raises(SheetRefusedError) as refused:
        await note(database, "SL16,89860012345678901213,12,,,,,", "NONE1,,,,,,,", "SL17,,,,,50,,")
    assert [(fault.row, fault.column, fault.code) for fault in refused.value.faults] == [
        (2, "iccid", "iccid_taken"),
        (2, "number", "phone_invalid"),
        (3, "serial", "watch_unknown"),
    ]
    async with database.begin() as work:
        untouched = (await work.session.exec(select(Watch).where(Watch.serial == "SL17"))).one()
    assert untouched.sim_quota_mb is None
