"""Attendance lists: checked whole, taken whole, repeatable."""

from __future__ import annotations

import pytest
from sqlmodel import col, select

from services.core.office.enrolment.participation import (
    Noted,
    end_enrolment,
    read_training_list,
    record_training,
    record_trainings,
    trainings_of,
)
from services.core.people.households.errors import TrainingUnknownError
from services.core.people.households.queries import standing_enrolment
from services.core.people.households.tables import Family
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.db.database import Database
from services.core.platform.spreadsheets.sheets import SheetRefusedError
from tests.support.clock import FakeClock
from tests.support.http import enrol_family, new_phone


async def enrolled(database: Database) -> str:
    family_id = await enrol_family(database, new_phone())
    async with database.begin() as work:
        return (await work.session.exec(select(Family.family_code).where(col(Family.family_id) == family_id))).one()


async def note(database: Database, *rows: str) -> Noted:
    listed = read_training_list("\n".join(["family_code,training,attended_on", *rows]).encode())
    async with database.begin() as work:
        return await record_trainings(work, OPERATOR, listed)


async def test_a_list_is_noted_and_a_repeat_changes_nothing(database: Database) -> None:
    first, second = await enrolled(database), await enrolled(database)
    rows = (
        f"{first},watch,2026-02-20",
        f"{first.lower()},Family_Day,2026-03-01",
        f"{second},migrant_parents,2026-02-21",
    )
    assert await note(database, *rows) == Noted(3, 0)
    assert await note(database, *rows) == Noted(0, 3)
    async with database.begin() as work:
        attended = await trainings_of(work, await standing_enrolment(work, first))
    assert [(row.training, row.attended_on.isoformat()) for row in attended] == [
        ("watch", "2026-02-20"), ("family_day", "2026-03-01"),
    ]  # fmt: skip


async def test_every_fault_of_the_list_is_told_and_nothing_is_noted(database: Database, clock: FakeClock) -> None:
    staying, left = await enrolled(database), await enrolled(database)
    async with database.begin() as work:
        await end_enrolment(work, OPERATOR, left, "other")
    with pytest.raises(SheetRefusedError) as refused:
        await note(database, f"{staying},dancing,2026-02-20", ",watch,20/02/2026")
    assert [(fault.row, fault.column, fault.code) for fault in refused.value.faults] == [
        (2, "training", "training_unknown"),
        (3, "attended_on", "attended_on_malformed"),
        (3, "family_code", "family_code_missing"),
    ]
    ahead = clock.now.date().replace(year=2030).isoformat()
    with pytest.raises(SheetRefusedError) as refused:
        await note(database, f"{staying},watch,2026-02-20", f"{left},watch,2026-02-20", f"{staying},watch,{ahead}")
    assert [(fault.row, fault.code) for fault in refused.value.faults] == [
        (3, "family_unknown"),
        (4, "attended_on_ahead"),
    ]
    async with database.begin() as work:
        assert await trainings_of(work, await standing_enrolment(work, staying)) == []


async def test_a_training_is_a_word_of_the_list(database: Database, clock: FakeClock) -> None:
    family = await enrolled(database)
    async with database.begin() as work:
        assert await record_training(work, OPERATOR, family, "refresher", clock.now.date())
        assert not await record_training(work, OPERATOR, family, "refresher", clock.now.date())
        with pytest.raises(TrainingUnknownError):
            await record_training(work, OPERATOR, family, "dancing", clock.now.date())
