"""The staff console of the demo: a simulated programme with a year of usage, and two colleagues who may log in."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.core.measurement.errors import SimulationExistsError
from services.core.people.accounts.staff_log_in import StaffProof, begin_set_up, confirm_set_up
from services.core.people.accounts.tables import Staff
from services.core.people.accounts.totp import code_of, step_of
from services.core.people.programme.queries import programme_named
from services.core.people.programme.rules import new_initial_password
from services.core.people.staff_accounts.actions import create_staff, reset_staff
from services.core.people.staff_accounts.rules import PROBATION
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from services.devstack.simulated_programme.today import fill_today
from services.devstack.simulated_programme.writing import Plan, simulate

# Small enough for two minutes on a busy machine, and large enough for most numbers to be shown.
PLAN: Final = Plan(sites=3, families=150, weeks=52)
_WAIT_S: Final = 60.0
_FIRST_PASSWORD: Final = re.compile(r"[a-z2-7]{5}(-[a-z2-7]{5}){4}")
# The second may approve what the first has asked for. Numbers of a range that is not assigned in China.
_COLLEAGUES: Final = (
    ("ming@wecare.example", "Ming", "admin", "+8613900000001"),
    ("lan@wecare.example", "Lan", "manager", "+8613900000002"),
)


@dataclass(frozen=True)
class Login:
    """The log-in that a visitor types; each code works once."""

    email: str
    role: str
    password: str
    codes: list[str]


async def fill_console(settings: Settings, progress: Callable[[], None], plan: Plan = PLAN) -> list[Login]:
    """Make the simulated programme, unless an earlier demo did, and return how its colleagues log in.

    ``progress`` is called once for each site and each week of the plan at most. A repeated call resets the accounts.
    """
    database = Database.of(settings)
    try:
        try:
            await simulate(database, settings, plan, progress)
        except SimulationExistsError:
            progress()
        name = f"Simulated programme, seed {plan.seed}"
        await fill_today(database, name, plan.seed)
        return [await _colleague(database, settings, name, *about) for about in _COLLEAGUES]
    finally:
        await database.close()


STEPS: Final = PLAN.sites + PLAN.weeks


async def _colleague(
    database: Database, settings: Settings, programme_name: str, email: str, name: str, role: str, phone: str
) -> Login:
    """Open the account, or reset that of an earlier demo, and set it up as the colleague would."""
    position = _position(settings)
    async with database.begin() as work:
        programme = await programme_named(work, programme_name)
        made = await create_staff(
            work, OPERATOR, email=email, display_name=name, role=role, programme=programme, phone=phone
        )
        if not made.is_new:
            await reset_staff(work, OPERATOR, email)
    first = await _first_password(settings, phone, position)
    async with database.begin() as work:
        await begin_set_up(work, StaffProof(email, first, "127.0.0.1"))
    async with database.begin() as work:
        staff = await work.session.get_one(Staff, made.staff.staff_id)
        if staff.sealed_totp is None:
            message = "the set-up of the authenticator app was lost"
            raise RuntimeError(message)
        secret = work.vault.unseal(staff.sealed_totp, f"totp/{staff.staff_id}")
        password = new_initial_password()
        proof = StaffProof(email, first, "127.0.0.1", code_of(secret, step_of(work.now)))
        _, codes = await confirm_set_up(work, proof, password)
    async with database.begin() as work:
        # A colleague of a year, who may approve; a new or reset account may not for a week.
        staff = await work.session.get_one(Staff, made.staff.staff_id)
        staff.appointed_at, staff.reset_at = work.now - PROBATION, None
        work.add(staff)
    return Login(email, role, password, codes)


def _position(settings: Settings) -> int:
    file = settings.sms_file
    return file.stat().st_size if file.is_file() else 0


async def _first_password(settings: Settings, phone: str, position: int) -> str:
    """Return the first password that the worker has sent to this phone since; raises TimeoutError."""
    async with asyncio.timeout(_WAIT_S):
        while True:
            lines = await asyncio.to_thread(_read_from, settings.sms_file, position)
            for line in lines.splitlines():
                if phone in line and (match := _FIRST_PASSWORD.search(json.dumps(json.loads(line)))):
                    return match[0]
            await asyncio.sleep(0.2)


def _read_from(file: Path, position: int) -> str:
    if not file.is_file():
        return ""
    with file.open("rb") as sent:
        sent.seek(position)
        # The last line may be half written.
        return sent.read().rpartition(b"\n")[0].decode()
