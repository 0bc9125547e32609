"""Erase a child or a family, hide one's number, contest a right."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Request

from services.api.dependencies import LedgerHere, Work
from services.api.family.access import AnyGuardian, BeforeConsent, PrimaryGuardian, PrimaryGuardianOfChild
from services.api.family.schemas import privacy as told
from services.api.problems import answers
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

router = APIRouter(prefix="/v1", tags=["privacy"])

Confirmation = Annotated[str, Query(max_length=20, description="the word `erase`: this cannot be undone")]


@router.delete("/children/{child_id}", responses=answers(401, 403, 404, 422))
async def erase_one(
    request: Request, work: Work, scope: PrimaryGuardianOfChild, ledger: LedgerHere, confirm: Confirmation = ""
) -> told.Erasure:
    """Erase a child with everything about it, for good. Its key goes first; its watch is told to wipe itself."""
    check_confirmation(confirm)
    erasure = await erase_child(work, ledger, scope.child.child_id, scope.caller.guardian_id)
    await work.let_go()
    return await _removed(request, erasure)


@router.delete("/families/{family_id}", responses=answers(401, 403, 404, 422))
async def erase_all(
    request: Request, work: Work, scope: PrimaryGuardian, ledger: LedgerHere, confirm: Confirmation = ""
) -> told.Erasure:
    """Erase a family: all children, all guardians' part in it, and the accounts that serve no other family."""
    check_confirmation(confirm)
    erasure = await erase_family(work, ledger, scope.family_id, scope.caller.guardian_id)
    await work.let_go()
    return await _removed(request, erasure)


@router.get("/families/{family_id}/erasures", responses=answers(401, 404, 422))
async def list_erasures(work: Work, scope: BeforeConsent) -> told.Erasures:
    """Tell what was erased in this family, and whether the watches have confirmed that their copies are gone."""
    return told.Erasures(erasures=[_erasure(view) for view in await erasures_of(work, scope.family_id)])


@router.put("/families/{family_id}/my-number", status_code=204, responses=answers(401, 403, 404, 422))
async def set_number_hidden(work: Work, scope: AnyGuardian, said: told.MyNumber) -> None:
    """Hide one's own number from the watches and the other guardians, or show it again. A repeat changes nothing."""
    await hide_number(work, scope.family_id, scope.caller.guardian_id, hidden=said.hidden)


@router.get("/families/{family_id}/contests", responses=answers(401, 404, 422))
async def list_contests(work: Work, scope: BeforeConsent) -> told.Contests:
    """Tell which rights are or were contested, by whom."""
    return told.Contests(contests=[_contest(row) for row in await contests_of(work, scope.family_id)])


@router.post("/families/{family_id}/contests", status_code=201, responses=answers(401, 404, 409, 422))
async def contest(work: Work, scope: BeforeConsent, said: told.NewContest) -> told.Contest:
    """Contest a right that another guardian has. All guardians see it, and staff decide."""
    row = await contest_right(work, scope.family_id, scope.caller.guardian_id, said.guardian_id, Right(said.right))
    return _contest(row)


@router.delete("/families/{family_id}/contests/{contest_id}", status_code=204, responses=answers(401, 404, 422))
async def end_contest(work: Work, scope: BeforeConsent, contest_id: uuid.UUID) -> None:
    """Contest a right no longer. A repeat changes nothing."""
    await withdraw_contest(work, scope.family_id, scope.caller.guardian_id, contest_id)


async def _removed(request: Request, erasure: ErasureRow) -> told.Erasure:
    """Remove the rows of an erasure that has been committed, and tell how it stands."""
    database: Database = request.app.state.database
    await remove_now(database, erasure.erasure_id)
    async with database.begin() as work:
        return _erasure(await erasure_view(work, await work.session.get_one(ErasureRow, erasure.erasure_id)))


def _erasure(view: ErasureView) -> told.Erasure:
    row = view.erasure.model_dump(include={"erasure_id", "what", "subject_id", "asked_at", "rows_gone_at"})
    return told.Erasure.model_validate({**row, "watch_copy": view.watch_copy.value})


def _contest(row: ContestRow) -> told.Contest:
    return told.Contest.model_validate(row.model_dump(exclude={"family_id"}))
