"""Journeys of a parent through the door: a slip, the code on the wall, a new phone that the other parent confirms."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete

from services.core.office.hand_outs.actions import open_hand_out, print_slips
from services.core.people.accounts.tables import LoginChallenge, Staff
from services.core.people.households.tables import Family
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import UnitOfWork
from tests.support.http import Place, enrol_family, new_phone
from tests.support.stage import Stage, stage, talking
from tests.support.world import make_site

__all__ = ["stage", "talking"]  # fixtures


@dataclass
class Hall:
    """A hand-out with an enrolled family, its wall code and the family's slip."""

    phone: str
    wall: str
    slip: str


async def make_coordinator(work: UnitOfWork) -> uuid.UUID:
    """Make an account that opens hand-outs; nobody logs in with it."""
    staff = Staff(
        email=f"{new_ref()}@wecare.example", display_name="Lin", role="staff", password_hash="of nobody",
        phone=new_phone(), appointed_at=work.now, created_at=work.now,
    )  # fmt: skip
    work.add(staff)
    await work.flush()
    return staff.staff_id


async def hall_of(stage: Stage) -> Hall:
    """Open a hand-out with a new family."""
    database = stage.play.database
    async with database.begin() as work:
        site, cohort = await make_site(work)
    number = new_phone()
    family_id = await enrol_family(database, number, Place(site, cohort))
    async with database.begin() as work:
        staff_id = await make_coordinator(work)
        hand_out, wall = await open_hand_out(work, staff_id, site, families=5, lasts=timedelta(hours=1))
        family = await work.session.get_one(Family, family_id)
        [slip] = await print_slips(work, staff_id, site, hand_out.hand_out_id, [family.family_code])
    return Hall(number, wall, slip.code)


async def test_a_slip_opens_the_door_without_a_text_message(stage: Stage) -> None:
    hall = await hall_of(stage)
    phone = await stage.phone()
    await phone.open(f"/log-in#slip={hall.slip}")
    # The code is read and gone from the address; it is used on a tap only.
    assert phone.page.url == f"{phone.origin}/"
    assert await phone.page.get_by_label("Code on the slip", exact=True).input_value() == hall.slip
    await phone.write("Phone number", new_phone())
    await phone.tap("Log in")
    await phone.sees("This slip does not work for this number.")
    await phone.write("Phone number", hall.phone)
    await phone.tap("Log in")
    await phone.sees("Who is responsible")
    phone.check()


async def test_the_code_on_the_wall_opens_the_door_of_the_hall(stage: Stage) -> None:
    hall = await hall_of(stage)
    phone = await stage.phone()
    await phone.open("/log-in#wall=aaaa-aaaa")
    await phone.write("Phone number", hall.phone)
    await phone.tap("Send me a code")
    await phone.sees("This code is not open now.")
    await phone.write("Code on the wall", hall.wall)
    await phone.log_in(hall.phone)
    await phone.sees("Who is responsible")
    phone.check()


async def test_the_other_parent_confirms_a_new_phone(stage: Stage) -> None:
    home = await stage.play.home()
    dad = await stage.second_guardian(home)
    first = await stage.admitted(home.phone)
    await stage.admitted(dad, "Dad")
    async with stage.play.database.begin() as work:
        await work.run(delete(LoginChallenge))
    new = await stage.phone()
    await new.open()
    await new.log_in(dad)
    await new.sees("This phone is new.")
    await new.tap("Ask the other parent")
    await first.sees("Dad logs in with a new phone")
    # The name that the phone gave itself stands beside the question.
    await first.sees("Linux, Chrome")
    approve = first.by_id("approve")
    assert await approve.is_disabled()
    # It can be tapped once it was there for five seconds.
    await approve.click()
    await new.by_id("child").wait_for()
    await first.by_id("approve").wait_for(state="detached")
    first.check()
    new.check()
