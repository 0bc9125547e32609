"""Each kind of list is refused once, with all its faults: of hidden rows, of cells, and of what is registered."""

from __future__ import annotations

import io
import secrets
from pathlib import Path

import openpyxl
import pytest
from sqlmodel import col, select

from services.core.devices.watches.rules import watch_list
from services.core.devices.watches.tables import Watch
from services.core.office.enrolment.participation import read_training_list, record_trainings, trainings_of
from services.core.office.registration.actions import (
    check_watch_list,
    register_for_vendor,
    register_with_vendor_secrets,
)
from services.core.office.registration.delivery import read_delivery
from services.core.office.registration.vendor_file import read_vendor_file
from services.core.office.sim_cards.actions import read_sim_list, record_sims
from services.core.office.surveys.actions import define_survey, take_answers
from services.core.office.surveys.queries import answers_of, questions_of, survey_named
from services.core.office.surveys.rules import Question, read_answers
from services.core.people.households.queries import standing_enrolment
from services.core.people.households.tables import Family
from services.core.people.programme.tables import Programme
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.db.database import Database
from services.core.platform.spreadsheets.sheets import Fault, SheetRefusedError
from tests.support.http import Place, enrol_family, make_place, new_phone
from tests.support.world import make_watch

HIDDEN_ROW = 2
UNREADABLE = "two\nlines"


def _with_hidden_row(*rows: list[str]) -> bytes:
    """Return the rows as a workbook in which row 2 is hidden."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.active.row_dimensions[HIDDEN_ROW].hidden = True
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _places(faults: tuple[Fault, ...]) -> list[tuple[str, int, str, str]]:
    return [(fault.file, fault.row, fault.column, fault.code) for fault in faults]


def _serial() -> str:
    return f"AO{secrets.token_hex(4).upper()}"


async def _registered(database: Database, *serials: str) -> list[str]:
    async with database.begin() as work:
        return list(await work.session.exec(select(Watch.serial).where(col(Watch.serial).in_(serials))))


async def _programme_of(database: Database, place: Place) -> str:
    async with database.begin() as work:
        return (await work.session.get_one(Programme, place.site.programme_id)).name


async def _family_code(database: Database) -> str:
    family_id = await enrol_family(database, new_phone())
    async with database.begin() as work:
        return (await work.session.exec(select(Family.family_code).where(col(Family.family_id) == family_id))).one()


@pytest.mark.parametrize("is_dry_run", [True, False])
async def test_a_list_of_watches(database: Database, tmp_path: Path, is_dry_run: bool) -> None:  # noqa: FBT001
    place = await make_place(database)
    serials = [_serial() for _ in range(4)]
    listed = watch_list(
        _with_hidden_row(
            ["serial", "model", "site", "sim_expires"],
            [serials[0], "m", place.site.name, ""],
            [serials[1], UNREADABLE, place.site.name, ""],
            [serials[2], "m", "Nowhere", "31.1.2027"],
            [serials[3], "m", place.site.name, ""],
        )
    )
    file = tmp_path / "vendor.csv"
    programme = await _programme_of(database, place)

    async def register() -> None:
        async with database.begin() as work:
            if is_dry_run:
                await check_watch_list(work, listed.rows, programme=programme, further=listed.faults)
            else:
                await register_for_vendor(work, OPERATOR, listed.rows, file, programme=programme, further=listed.faults)

    with pytest.raises(SheetRefusedError) as refused:
        await register()
    assert _places(refused.value.faults) == [
        ("", 2, "", "row_hidden"),
        ("", 3, "model", "cell_unreadable"),
        ("", 4, "sim_expires", "sim_expires_malformed"),
        ("", 4, "site", "site_unknown"),
    ]
    assert await _registered(database, *serials) == []
    assert not file.exists()


async def test_a_delivery_with_its_secrets(database: Database) -> None:
    place = await make_place(database)
    programme = await _programme_of(database, place)
    async with database.begin() as work:
        known, _ = await make_watch(work, place.site.site_id, None)
    serials = [_serial() for _ in range(3)]
    delivery = read_delivery(
        _with_hidden_row(
            ["serial", "model", "secret"],
            [serials[0], "sim-1", secrets.token_hex(16)],
            [serials[1], "sim-1", "1234"],
            [serials[2], "=1+1", ""],
            [known.serial, "sim-1", secrets.token_hex(16)],
            [known.serial[:-1], "sim-2", secrets.token_hex(16) + "\u00e4"],
        ),
        place.site.name,
    )
    with pytest.raises(SheetRefusedError) as refused:
        async with database.begin() as work:
            await register_with_vendor_secrets(
                work, OPERATOR, delivery.watches, delivery.offered, programme=programme, further=delivery.faults
            )
    assert _places(refused.value.faults) == [
        ("", 2, "", "row_hidden"),
        ("", 3, "secret", "secret_weak"),
        ("", 4, "model", "cell_is_formula"),
        ("", 4, "serial", "secret_missing"),
        ("", 5, "serial", "secret_differs"),
        ("", 6, "secret", "secret_malformed"),
    ]
    assert await _registered(database, *serials) == []


async def test_a_list_and_the_vendors_file_beside_it(database: Database) -> None:
    place = await make_place(database)
    programme = await _programme_of(database, place)
    new, other, unlisted = _serial(), _serial(), _serial()
    listed = watch_list(
        _with_hidden_row(
            ["serial", "model", "site"], [new, "m", place.site.name], [other, "", place.site.name], ["x", "m", "None"]
        )
    )
    offered = read_vendor_file(
        _with_hidden_row(["serial", "secret"], [new, "short"], [unlisted, secrets.token_hex(16)]),
        listed.rows,
        "secrets.xlsx",
    )
    with pytest.raises(SheetRefusedError) as refused:
        async with database.begin() as work:
            await register_with_vendor_secrets(
                work, OPERATOR, listed.rows, offered, programme=programme, further=listed.faults
            )
    assert _places(refused.value.faults) == [
        ("", 2, "", "row_hidden"),
        ("", 3, "model", "model_missing"),
        ("", 3, "serial", "secret_missing"),
        ("", 4, "serial", "serial_malformed"),
        ("", 4, "site", "site_unknown"),
        ("secrets.xlsx", 2, "", "row_hidden"),
        ("secrets.xlsx", 2, "secret", "secret_weak"),
        ("secrets.xlsx", 3, "serial", "serial_unlisted"),
    ]
    assert await _registered(database, new, other) == []


async def test_a_list_of_sim_cards(database: Database) -> None:
    place = await make_place(database)
    async with database.begin() as work:
        watch, other, third = [(await make_watch(work, place.site.site_id, None))[0] for _ in range(3)]
        other.iccid = f"8986{secrets.randbelow(10**16):016d}"
        work.add(other)
    listed = read_sim_list(
        _with_hidden_row(
            ["serial", "iccid", "number", "expires", "quota_mb", "month", "used_mb"],
            [watch.serial, "", "", "", "100", "", ""],
            [watch.serial, other.iccid or "", "", "31.1.2027", "ten", "2027-13", "5"],
            ["NONE0001", "", "", "", "", "", "five"],
            [third.serial, "", "12", UNREADABLE, "", "", ""],
        )
    )
    with pytest.raises(SheetRefusedError) as refused:
        async with database.begin() as work:
            await record_sims(work, OPERATOR, listed)
    assert _places(refused.value.faults) == [
        ("", 2, "", "row_hidden"),
        ("", 3, "expires", "expires_malformed"),
        ("", 3, "iccid", "iccid_taken"),
        ("", 3, "month", "month_malformed"),
        ("", 3, "quota_mb", "quota_mb_malformed"),
        ("", 3, "serial", "serial_repeated"),
        ("", 4, "month", "month_incomplete"),
        ("", 4, "serial", "watch_unknown"),
        ("", 4, "used_mb", "used_mb_malformed"),
        ("", 5, "expires", "cell_unreadable"),
        ("", 5, "number", "phone_invalid"),
    ]
    async with database.begin() as work:
        assert (await work.session.get_one(Watch, watch.watch_id)).sim_quota_mb is None


async def test_a_list_of_trainings(database: Database) -> None:
    code = await _family_code(database)
    listed = read_training_list(
        _with_hidden_row(
            ["family_code", "training", "attended_on"],
            [code, "watch", "2026-02-20"],
            [code, "dancing", "2090-01-01"],
            ["NONE-1", "watch", "20/02/2026"],
            [UNREADABLE, "watch", "2026-02-20"],
        )
    )
    with pytest.raises(SheetRefusedError) as refused:
        async with database.begin() as work:
            await record_trainings(work, OPERATOR, listed)
    assert _places(refused.value.faults) == [
        ("", 2, "", "row_hidden"),
        ("", 3, "attended_on", "attended_on_ahead"),
        ("", 3, "training", "training_unknown"),
        ("", 4, "attended_on", "attended_on_malformed"),
        ("", 4, "family_code", "family_unknown"),
        ("", 5, "family_code", "cell_unreadable"),
    ]
    async with database.begin() as work:
        assert await trainings_of(work, await standing_enrolment(work, code)) == []


@pytest.mark.parametrize("is_wide", [True, False])
async def test_a_list_of_survey_answers(database: Database, is_wide: bool) -> None:  # noqa: FBT001
    place = await make_place(database)
    family_id = await enrol_family(database, new_phone(), place)
    async with database.begin() as work:
        code = (await work.session.get_one(Family, family_id)).family_code
        programme = await work.session.get_one(Programme, place.site.programme_id)
        await define_survey(work, OPERATOR, programme, "2026", [Question("stay", "yes_no", "Do you stay?")])
    rows = [
        ["family_code", "wave", "stay"],
        ["NONE-1", "baseline", "yes"],
        ["NONE-2", "baseline", "perhaps"],
        [code, "midline", "yes"],
        ["NONE-3", UNREADABLE, "no"],
        ["NONE-4", "endline", ""],
    ]
    if not is_wide:
        rows = [[*row[:2], "stay" if number else "question", row[2]] for number, row in enumerate(rows)]
        rows[0][3] = "answer"
        rows.append(["NONE-5", "endline", "dance", "yes"])
    async with database.begin() as work:
        survey = await survey_named(work, programme, "2026")
        listed = read_answers(_with_hidden_row(*rows), await questions_of(work, survey))
    with pytest.raises(SheetRefusedError) as refused:
        async with database.begin() as work:
            await take_answers(work, OPERATOR, await survey_named(work, programme, "2026"), listed)
    expected = [
        ("", 2, "", "row_hidden"),
        ("", 2, "family_code", "family_unknown"),
        ("", 3, "family_code", "family_unknown"),
        ("", 3, "stay" if is_wide else "answer", "answer_malformed"),
        ("", 4, "wave", "wave_unknown"),
        ("", 5, "family_code", "family_unknown"),
        ("", 5, "wave", "cell_unreadable"),
    ]
    if not is_wide:
        expected += [("", 7, "family_code", "family_unknown"), ("", 7, "question", "question_unknown")]
    assert sorted(_places(refused.value.faults)) == sorted(expected)
    async with database.begin() as work:
        assert await answers_of(work, await survey_named(work, programme, "2026")) == {}
