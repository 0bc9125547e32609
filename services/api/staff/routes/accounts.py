"""Staff accounts, for those who manage them: within their own scopes, and no others exist for them."""

import uuid
from collections.abc import Sequence

from fastapi import APIRouter

from services.api.dependencies import Work
from services.api.problems import problem_responses
from services.api.staff.access import MayManageAccounts, StaffCaller
from services.api.staff.schemas import accounts as schemas
from services.core.people.accounts.actors import staff_actor
from services.core.people.accounts.tables import Staff
from services.core.people.households.errors import NotFoundError
from services.core.people.programme.actions import create_staff, end_staff, reset_staff
from services.core.people.programme.errors import ScopeNeededError
from services.core.people.programme.queries import programme_served, scopes_of, site_served, staff_within
from services.core.people.programme.tables import StaffScope
from services.core.platform.db.database import UnitOfWork

router = APIRouter(prefix="/v1/staff/accounts", tags=["staff"])


@router.get("", responses=problem_responses(401, 403))
async def list_accounts(work: Work, caller: MayManageAccounts) -> schemas.AccountsResponse:
    """Tell the accounts that serve nothing but what the caller serves, too; ended ones included."""
    return schemas.AccountsResponse(
        accounts=[_account(staff, scopes) for staff, scopes in await staff_within(work, caller.staff_id)]
    )


@router.post("", status_code=201, responses=problem_responses(401, 403, 404, 409, 422))
async def create(
    work: Work, caller: MayManageAccounts, body: schemas.NewAccountRequest
) -> schemas.CreatedAccountResponse:
    """Make an account for one programme or site; a repeat with another scope adds that scope."""
    if (body.programme_id is None) == (body.site_id is None):
        raise ScopeNeededError
    programme = None if body.programme_id is None else await programme_served(work, caller.staff_id, body.programme_id)
    site = None if body.site_id is None else await site_served(work, caller.staff_id, body.site_id)
    if programme is None and site is None:
        raise NotFoundError
    made = await create_staff(
        work, staff_actor(caller.staff_id), email=body.email, display_name=body.display_name, role=body.role,
        programme=programme, site=site,
    )  # fmt: skip
    await work.flush()
    account = _account(made.staff, await scopes_of(work, made.staff.staff_id))
    return schemas.CreatedAccountResponse(**account.model_dump(), initial_password=made.initial_password)


@router.post("/{staff_id}/reset", responses=problem_responses(401, 403, 404, 409, 422))
async def reset(work: Work, caller: MayManageAccounts, staff_id: uuid.UUID) -> schemas.ResetAccountResponse:
    """Give a colleague a new initial password; sessions end, and the authenticator app is set up anew."""
    staff = await _within(work, caller, staff_id)
    return schemas.ResetAccountResponse(
        initial_password=await reset_staff(work, staff_actor(caller.staff_id), staff.email)
    )


@router.post("/{staff_id}/end", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def end(work: Work, caller: MayManageAccounts, staff_id: uuid.UUID) -> None:
    """End an account for good, and its sessions at once. A repeat changes nothing."""
    staff = await _within(work, caller, staff_id)
    await end_staff(work, staff_actor(caller.staff_id), staff.email)


async def _within(work: UnitOfWork, caller: StaffCaller, staff_id: uuid.UUID) -> Staff:
    for staff, _ in await staff_within(work, caller.staff_id):
        if staff.staff_id == staff_id:
            return staff
    raise NotFoundError


def _account(staff: Staff, scopes: Sequence[StaffScope]) -> schemas.AccountResponse:
    return schemas.AccountResponse(
        staff_id=staff.staff_id, email=staff.email, display_name=staff.display_name, role=staff.role,
        set_up=staff.totp_confirmed_at is not None, ended_at=staff.ended_at,
        scopes=[schemas.AccountScope(programme_id=one.programme_id, site_id=one.site_id) for one in scopes],
    )  # fmt: skip
