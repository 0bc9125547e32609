"""Erasure of a child or a family, hiding one's own number, and contested rights."""

import uuid
from typing import Annotated

from fastapi import Query, Request

from services.api.declaring import Routes
from services.api.dependencies import LedgerHere, Work
from services.api.family.access import (
    AnyGuardian,
    BeforeConsent,
    ProvenPrimaryGuardian,
    ProvenPrimaryGuardianOfChild,
)
from services.api.family.schemas import privacy as schemas
from services.api.problems import problem_responses
from services.core.devices.contacts.guardians import hide_number
from services.core.people.households.rules import Right
from services.core.platform.db.database import Database
from services.core.privacy.contests.actions import contest_right, withdraw_contest
from services.core.privacy.erasure.actions import erase_child, erase_family
from services.core.privacy.erasure.removal import remove_now
from services.core.privacy.erasure.rules import check_confirmation
from services.core.privacy.queries import ErasureView, contests_of, erasure_view, erasures_of
from services.core.privacy.tables import Contest as ContestRow
from services.core.privacy.tables import Erasure as ErasureRow

router = Routes(prefix="/v1", tags=["privacy"])

Confirmation = Annotated[str, Query(max_length=20, description="must be `erase`, because the erasure cannot be undone")]


@router.delete("/children/{child_id}", responses=problem_responses(401, 403, 404, 422))
async def erase_one(
    request: Request, work: Work, scope: ProvenPrimaryGuardianOfChild, ledger: LedgerHere, confirm: Confirmation = ""
) -> schemas.ErasureResponse:
    """Erase a child permanently, with all of its data, for the first guardian only.

    The child's key is destroyed before the response; its watch is ordered to wipe itself. 404 once erased.
    """
    check_confirmation(confirm)
    erasure = await erase_child(work, ledger, scope.child.child_id, scope.caller.guardian_id)
    await work.commit_early()
    return await _removed(request, erasure)


@router.delete("/families/{family_id}", responses=problem_responses(401, 403, 404, 422))
async def erase_all(
    request: Request, work: Work, scope: ProvenPrimaryGuardian, ledger: LedgerHere, confirm: Confirmation = ""
) -> schemas.ErasureResponse:
    """Erase a family permanently: its children, memberships, and accounts without another family.

    For the first guardian only. 404 once erased.
    """
    check_confirmation(confirm)
    erasure = await erase_family(work, ledger, scope.family_id, scope.caller.guardian_id)
    await work.commit_early()
    return await _removed(request, erasure)


@router.get("/families/{family_id}/erasures", responses=problem_responses(401, 404, 422))
async def list_erasures(work: Work, scope: BeforeConsent) -> schemas.ErasuresResponse:
    """Return the family's erasures, and whether the watches have confirmed the wipe of their copies."""
    return schemas.ErasuresResponse(erasures=[_erasure(view) for view in await erasures_of(work, scope.family_id)])


@router.put("/families/{family_id}/my-number", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def set_number_hidden(work: Work, scope: AnyGuardian, body: schemas.HideNumberRequest) -> None:
    """Hide the caller's number from the watches and the other guardians, or show it again.

    A watch cannot call a hidden number. The same value changes nothing.
    """
    await hide_number(work, scope.family_id, scope.caller.guardian_id, hidden=body.hidden)


@router.get("/families/{family_id}/contests", responses=problem_responses(401, 404, 422))
async def list_contests(work: Work, scope: BeforeConsent) -> schemas.ContestsResponse:
    """Return the contested rights of the family, newest first."""
    return schemas.ContestsResponse(contests=[_contest(row) for row in await contests_of(work, scope.family_id)])


@router.post("/families/{family_id}/contests", status_code=201, responses=problem_responses(401, 404, 409, 422))
async def contest(work: Work, scope: BeforeConsent, body: schemas.NewContestRequest) -> schemas.ContestResponse:
    """Contest a right of another guardian; all guardians see the contest, and staff decide.

    409 while the caller already contests this right.
    """
    row = await contest_right(work, scope.family_id, scope.caller.guardian_id, body.guardian_id, Right(body.right))
    return _contest(row)


@router.delete(
    "/families/{family_id}/contests/{contest_id}", status_code=204, responses=problem_responses(401, 404, 422)
)
async def end_contest(work: Work, scope: BeforeConsent, contest_id: uuid.UUID) -> None:
    """Withdraw one's own contest. A withdrawn contest stays unchanged."""
    await withdraw_contest(work, scope.family_id, scope.caller.guardian_id, contest_id)


async def _removed(request: Request, erasure: ErasureRow) -> schemas.ErasureResponse:
    """Delete the rows of a committed erasure, and return its state."""
    database: Database = request.app.state.database
    await remove_now(database, erasure.erasure_id)
    async with database.begin() as work:
        return _erasure(await erasure_view(work, await work.session.get_one(ErasureRow, erasure.erasure_id)))


def _erasure(view: ErasureView) -> schemas.ErasureResponse:
    row = view.erasure.model_dump(include={"erasure_id", "what", "subject_id", "asked_at", "rows_gone_at"})
    return schemas.ErasureResponse.model_validate({**row, "watch_copy": view.watch_copy.value})


def _contest(row: ContestRow) -> schemas.ContestResponse:
    return schemas.ContestResponse.model_validate(row.model_dump(exclude={"family_id"}))
