"""Accounts of staff: an admin requests, a second person approves, and the colleague receives the first password."""

import uuid
from collections.abc import Sequence

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.problems import problem_responses
from services.api.staff.access import MayApproveAccounts, MayManageAccounts, StaffCaller
from services.api.staff.colleagues import row_with_names, rows_with_names
from services.api.staff.schemas import accounts as schemas
from services.core.people.accounts.actors import staff_actor
from services.core.people.accounts.tables import Staff
from services.core.people.households.errors import NotFoundError
from services.core.people.programme.errors import ScopeNeededError
from services.core.people.programme.queries import programme_served, site_served, staff_within
from services.core.people.programme.tables import StaffScope
from services.core.people.staff_accounts.actions import end_staff
from services.core.people.staff_accounts.queries import requests_within, standing_of
from services.core.people.staff_accounts.requests import (
    approve_request,
    request_account,
    request_reset,
    request_role,
    withdraw_request,
)
from services.core.people.staff_accounts.rules import approves_from
from services.core.people.staff_accounts.tables import StaffRequest
from services.core.platform.db.database import UnitOfWork
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits

router = Routes(prefix="/v1/staff", tags=["staff: accounts"])


@router.get("/accounts", responses=problem_responses(401, 403))
async def list_accounts(work: Work, caller: MayManageAccounts) -> schemas.AccountsResponse:
    """List the accounts whose scopes all lie within the caller's, including ended ones."""
    return schemas.AccountsResponse(
        accounts=[_account(staff, scopes) for staff, scopes in await staff_within(work, caller.staff_id)]
    )


@router.post("/accounts", status_code=201, responses=problem_responses(401, 403, 404, 409, 422, 429))
async def create(
    work: Work, caller: MayManageAccounts, body: schemas.NewAccountRequest
) -> schemas.AccountRequestResponse:
    """Request an account for one programme or site, or a further scope for an existing account.

    A second person must approve it; only the role `factory` is opened at once. The first password is sent by SMS,
    works once within 24 hours, and is never part of a response.
    """
    await _charge(work, caller)
    if (body.programme_id is None) == (body.site_id is None):
        raise ScopeNeededError
    programme = None if body.programme_id is None else await programme_served(work, caller.staff_id, body.programme_id)
    site = None if body.site_id is None else await site_served(work, caller.staff_id, body.site_id)
    if programme is None and site is None:
        raise NotFoundError
    row = await request_account(
        work, caller.staff_id, email=body.email, display_name=body.display_name, role=body.role, phone=body.phone,
        employed_by_factory=body.employed_by_factory, programme=programme, site=site,
    )  # fmt: skip
    return await _request(work, row)


@router.post("/accounts/{staff_id}/reset", status_code=201, responses=problem_responses(401, 403, 404, 409, 422, 429))
async def reset(
    work: Work, caller: MayManageAccounts, staff_id: uuid.UUID, body: schemas.ResetAccountRequest | None = None
) -> schemas.AccountRequestResponse:
    """Request a new first password for a colleague, sent by SMS. It ends all sessions and resets the second factor."""
    await _charge(work, caller)
    staff = await _within(work, caller, staff_id)
    row = await request_reset(work, caller.staff_id, staff, body.phone if body else None)
    return await _request(work, row)


@router.post("/accounts/{staff_id}/role", status_code=201, responses=problem_responses(401, 403, 404, 409, 422, 429))
async def change_role(
    work: Work, caller: MayManageAccounts, staff_id: uuid.UUID, body: schemas.ChangeRoleRequest
) -> schemas.AccountRequestResponse:
    """Request another role for a colleague. With the new role the account cannot approve for 7 days."""
    await _charge(work, caller)
    staff = await _within(work, caller, staff_id)
    return await _request(work, await request_role(work, caller.staff_id, staff, body.role))


@router.post("/accounts/{staff_id}/end", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def end(work: Work, caller: MayManageAccounts, staff_id: uuid.UUID) -> None:
    """End an account permanently, including its sessions. Repeating the request changes nothing."""
    staff = await _within(work, caller, staff_id)
    await end_staff(work, staff_actor(caller.staff_id), staff.email)


@router.get("/account-requests", responses=problem_responses(401, 403))
async def list_requests(work: Work, caller: MayApproveAccounts) -> schemas.AccountRequestsResponse:
    """List the account requests within the caller's scopes, newest first."""
    requests = await rows_with_names(work, await requests_within(work, caller.staff_id))
    return schemas.AccountRequestsResponse(
        requests=[schemas.AccountRequestResponse.model_validate(row) for row in requests]
    )


@router.post("/account-requests/{request_id}/approve", responses=problem_responses(401, 403, 404, 409, 422, 429))
async def approve(work: Work, caller: MayApproveAccounts, request_id: uuid.UUID) -> schemas.AccountRequestResponse:
    """Approve a colleague's request as a second person. The request is carried out at once."""
    await _charge(work, caller)
    return await _request(work, await approve_request(work, caller.staff_id, request_id))


@router.post("/account-requests/{request_id}/withdraw", responses=problem_responses(401, 403, 404, 409, 422))
async def withdraw(work: Work, caller: MayApproveAccounts, request_id: uuid.UUID) -> schemas.AccountRequestResponse:
    """Withdraw or refuse a pending request."""
    return await _request(work, await withdraw_request(work, caller.staff_id, request_id))


async def _charge(work: UnitOfWork, caller: StaffCaller) -> None:
    await charge(work, Charge(Limits.RECOVERIES_OF_STAFF, str(caller.staff_id)))


async def _within(work: UnitOfWork, caller: StaffCaller, staff_id: uuid.UUID) -> Staff:
    for staff, _ in await staff_within(work, caller.staff_id):
        if staff.staff_id == staff_id:
            return staff
    raise NotFoundError


async def _request(work: UnitOfWork, row: StaffRequest) -> schemas.AccountRequestResponse:
    return schemas.AccountRequestResponse.model_validate(await row_with_names(work, row))


def _account(staff: Staff, scopes: Sequence[StaffScope]) -> schemas.AccountResponse:
    return schemas.AccountResponse(
        staff_id=staff.staff_id, email=staff.email, display_name=staff.display_name, role=staff.role,
        set_up=staff.totp_confirmed_at is not None, ended_at=staff.ended_at,
        employed_by_factory=staff.employed_by_factory, approves_from=approves_from(standing_of(staff)),
        scopes=[schemas.AccountScope(programme_id=scope.programme_id, site_id=scope.site_id) for scope in scopes],
    )  # fmt: skip
