"""Families are enrolled and given watches; watches come back, get lost, and go to the next family."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import col, select

from services.core.devices.watches import errors
from services.core.devices.watches.queries import broker_logins
from services.core.devices.watches.rules import WatchRow
from services.core.office.enrolment.actions import FamilyRow, read_family_list
from services.core.office.enrolment.with_watches import EnrolledWithWatches, enrol_and_hand_out
from services.core.office.hand_outs.watches import hand_out_watch, move_watch
from services.core.office.hand_outs.withdrawal import withdraw_watch
from services.core.office.registration.actions import register_for_vendor
from services.core.office.registration.inventory import list_watches
from services.core.people.households.errors import FamilyUnknownError
from services.core.people.households.tables import Enrolment, Family
from services.core.people.programme.queries import site_named
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.db.database import Database
from services.core.platform.spreadsheets.sheets import SheetRefusedError


def families(*rows: str) -> list[FamilyRow]:
    return read_family_list("\n".join(["family_code,phone,site,cohort,watch_serial", *rows]).encode())


async def enrol(database: Database, *rows: str) -> EnrolledWithWatches:
    async with database.begin() as work:
        return await enrol_and_hand_out(work, OPERATOR, families(*rows))


async def hand_out(database: Database, serial: str, code: str) -> bool:
    async with database.begin() as work:
        return await hand_out_watch(work, OPERATOR, serial, code)


async def withdraw(database: Database, serial: str, state: str) -> bool:
    async with database.begin() as work:
        return await withdraw_watch(work, OPERATOR, serial, state)


async def shelf(database: Database, serial: str) -> tuple[str, str | None]:
    async with database.begin() as work:
        return next((e.state, e.family_code) for e in await list_watches(work) if e.serial == serial)


async def may_log_in(database: Database, serial: str) -> bool:
    async with database.begin() as work:
        return f"f-{serial}" in {login.username for login in await broker_logins(work)}


@pytest.fixture(scope="module")
async def watches(
    database: Database, watch_list: Callable[..., list[WatchRow]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file: Path = tmp_path_factory.mktemp("vendor") / "vendor.csv"
    async with database.begin() as work:
        rows = [*watch_list(*(f"WW{n:02d}" for n in range(20))), *watch_list("HH01", site="Huizhou")]
        await register_for_vendor(work, OPERATOR, rows, file)


@pytest.mark.usefixtures("watches")
async def test_a_list_enrols_families_with_their_watches_and_a_repeat_changes_nothing(database: Database) -> None:
    rows = ("F-01,138 0013 8001,Dongguan,2026A,WW00", "F-02,+86 13800138002,Dongguan,2026A,")
    first, second = await enrol(database, *rows), await enrol(database, *rows)
    assert (first.families.enrolled, first.handed_out) == (["F-01", "F-02"], ["WW00"])
    assert (second.families.unchanged, second.handed_out) == (["F-01", "F-02"], [])
    assert await shelf(database, "WW00") == ("handed_out", "F-01")
    async with database.begin() as work:
        phones = await work.session.exec(
            select(Enrolment.guardian_phone).join(Family, col(Family.family_id) == col(Enrolment.family_id))
            .where(col(Family.family_code).in_(["F-01", "F-02"]))
        )  # fmt: skip
        assert sorted(phones) == ["+8613800138001", "+8613800138002"]


@pytest.mark.usefixtures("watches")
async def test_every_conflict_is_named_and_nobody_is_enrolled(database: Database) -> None:
    await enrol(database, "G-01,13800138011,Dongguan,2026A,WW01")
    with pytest.raises(SheetRefusedError) as refused:
        await enrol(
            database,
            "G-01,13800138012,Huizhou,2026A,",
            "G-02,13800138011,Dongguan,2026A,WW01",
            "G-03,12,Dongguan,2026A,NONE1",
            "G-04,13800138014,Dongguan,2026B,",
            "G-05,13800138015,Nowhere,2026A,",
            "G-06,13800138016,Dongguan,2026A,HH01",
            "G-07,13800138017,Dongguan,2026A,NONE2",
            "G-08,+86 138 0013 8017,Dongguan,2026A,",
        )
    assert [(fault.row, fault.column, fault.code) for fault in refused.value.faults] == [
        (2, "phone", "phone_differs"),
        (2, "site", "site_differs"),
        (3, "phone", "phone_enrolled"),
        (3, "watch_serial", "watch_handed_out"),
        (4, "phone", "phone_invalid"),
        (5, "cohort", "cohort_unknown"),
        (6, "site", "site_unknown"),
        (7, "watch_serial", "watch_of_other_site"),
        (8, "watch_serial", "watch_unknown"),
        (9, "phone", "phone_repeated"),
    ]
    assert not any("138" in fault.sentence for fault in refused.value.faults)
    async with database.begin() as work:
        codes = (await work.session.exec(select(Family.family_code))).all()
    assert [code for code in codes if code.startswith("G-")] == ["G-01"]


@pytest.mark.usefixtures("watches")
async def test_two_offices_at_once_enrol_a_family_once(database: Database) -> None:
    outcomes = await asyncio.gather(*(enrol(database, "H-01,13800138021,Dongguan,2026A,WW02") for _ in range(4)))
    assert sorted(len(outcome.families.enrolled) for outcome in outcomes) == [0, 0, 0, 1]
    assert sorted(len(outcome.handed_out) for outcome in outcomes) == [0, 0, 0, 1]


@pytest.mark.usefixtures("watches")
async def test_a_watch_goes_to_one_family_at_a_time(database: Database) -> None:
    await enrol(database, "J-01,13800138031,Dongguan,2026A,", "J-02,13800138032,Dongguan,2026A,")
    assert await hand_out(database, "WW03", "j-01")
    assert not await hand_out(database, "WW03", "J-01")
    with pytest.raises(errors.WatchElsewhereError) as refused:
        await hand_out(database, "WW03", "J-02")
    assert refused.value.fields() == {"serial": "WW03", "family_code": "J-01"}
    assert await withdraw(database, "WW03", "returned")
    assert await hand_out(database, "WW03", "J-02")
    assert await shelf(database, "WW03") == ("handed_out", "J-02")


@pytest.mark.usefixtures("watches")
@pytest.mark.parametrize(("serial", "state"), [("WW04", "returned"), ("WW05", "lost"), ("WW06", "broken")])
async def test_what_is_out_of_use_may_not_log_in_until_it_is_handed_out_again(
    database: Database, serial: str, state: str
) -> None:
    await enrol(database, f"K-{serial[2:]},138001380{serial[2:]},Dongguan,2026A,{serial}")
    assert await may_log_in(database, serial)
    assert await withdraw(database, serial, state)
    assert not await withdraw(database, serial, state)
    assert not await may_log_in(database, serial)
    if state != "returned":
        with pytest.raises(errors.WatchStateError):
            await hand_out(database, serial, f"K-{serial[2:]}")
        assert await withdraw(database, serial, "returned")
        assert not await may_log_in(database, serial)
    assert await hand_out(database, serial, f"K-{serial[2:]}")
    assert await may_log_in(database, serial)


@pytest.mark.usefixtures("watches")
async def test_a_watch_moves_between_sites_on_the_shelf_only(database: Database) -> None:
    await enrol(database, "L-01,13800138041,Huizhou,2026A,")
    with pytest.raises(errors.WatchOfOtherSiteError):
        await hand_out(database, "WW07", "L-01")
    async with database.begin() as work:
        huizhou = await site_named(work, "Huizhou")
        assert await move_watch(work, OPERATOR, "WW07", huizhou)
        assert not await move_watch(work, OPERATOR, "WW07", huizhou)
    assert await hand_out(database, "WW07", "L-01")
    async with database.begin() as work:
        with pytest.raises(errors.WatchStateError):
            await move_watch(work, OPERATOR, "WW07", await site_named(work, "Dongguan"))


@pytest.mark.usefixtures("watches")
@pytest.mark.parametrize("serial", ["NONE1", "", "ww99", "W\x00W3", "W\ud800W3"])
async def test_an_unknown_serial_is_told_so(database: Database, serial: str) -> None:
    with pytest.raises(errors.WatchUnknownError):
        await hand_out(database, serial, "J-01")


@pytest.mark.usefixtures("watches")
@pytest.mark.parametrize("code", ["", "Z-99", "J\x0001", "家1", "\ud800"])
async def test_an_unknown_family_is_told_so(database: Database, code: str) -> None:
    with pytest.raises(FamilyUnknownError):
        await hand_out(database, "WW08", code)
