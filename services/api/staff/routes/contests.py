"""Contested rights: a manager requests a decision, a second one approves it, and it takes effect after 48 hours."""

import uuid
from collections.abc import Mapping
from typing import Any

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.problems import problem_responses
from services.api.staff.access import SettlesContestsAtSite, SiteScope
from services.api.staff.colleagues import row_with_names, rows_with_names
from services.api.staff.schemas import care as schemas
from services.core.office.recovery.paper import Paper
from services.core.platform.db.database import UnitOfWork
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits
from services.core.privacy.contests.decisions import (
    approve_decision,
    contests_at,
    request_decision,
    withdraw_decision,
)

router = Routes(prefix="/v1/staff/sites/{site_id}/contests", tags=["staff: contests"])


@router.get("", responses=problem_responses(401, 403, 404, 422))
async def list_contests(work: Work, scope: SettlesContestsAtSite) -> schemas.ContestsAtSiteResponse:
    """List the open contests of the site's families: codes, relations and rights, without names."""
    contests = await contests_at(work, scope.site.site_id)
    decided = await rows_with_names(work, [decision for *_, decision in contests if decision is not None])
    decisions = {row["contest_id"]: _response(row) for row in decided}
    return schemas.ContestsAtSiteResponse(
        contests=[
            schemas.ContestAtSite(
                contest_id=contest.contest_id, family_code=code, raised_by_relation=raiser, about_relation=about,
                right=contest.right, raised_at=contest.raised_at,
                decision=decisions.get(contest.contest_id),
            )
            for contest, code, raiser, about, _ in contests
        ]
    )  # fmt: skip


@router.post("/{contest_id}/decision", status_code=201, responses=problem_responses(401, 403, 404, 409, 422, 429))
async def request(
    work: Work, scope: SettlesContestsAtSite, contest_id: uuid.UUID, body: schemas.NewDecisionRequest
) -> schemas.DecisionResponse:
    """Request a decision that upholds or dismisses a contest. It takes effect only after a second person's approval.

    A decision removes or keeps the contested right. It grants no right, removes no right of the primary guardian, and
    always leaves a guardian with the right to message.
    """
    await _charge(work, scope)
    paper = Paper(body.form_number, body.document)
    decision = await request_decision(
        work, scope.caller.staff_id, scope.site, contest_id, upholds=body.upholds, paper=paper
    )
    return _response(await row_with_names(work, decision))


@router.post("/{contest_id}/decision/approve", responses=problem_responses(401, 403, 404, 409, 422, 429))
async def approve(
    work: Work, scope: SettlesContestsAtSite, contest_id: uuid.UUID, body: schemas.ApproveDecisionRequest
) -> schemas.DecisionResponse:
    """Approve a decision as the second person. Guardians are notified now, and when it takes effect after 48 hours."""
    await _charge(work, scope)
    paper = Paper(body.form_number, body.document)
    decision = await approve_decision(work, scope.caller.staff_id, scope.site, contest_id, paper)
    return _response(await row_with_names(work, decision))


@router.post("/{contest_id}/decision/withdraw", responses=problem_responses(401, 403, 404, 409, 422))
async def withdraw(work: Work, scope: SettlesContestsAtSite, contest_id: uuid.UUID) -> schemas.DecisionResponse:
    """Withdraw a decision that has not taken effect, for example after an objection."""
    decision = await withdraw_decision(work, scope.caller.staff_id, scope.site, contest_id)
    return _response(await row_with_names(work, decision))


async def _charge(work: UnitOfWork, scope: SiteScope) -> None:
    await charge(work, Charge(Limits.RECOVERIES_OF_STAFF, str(scope.caller.staff_id)))


def _response(row: Mapping[str, Any]) -> schemas.DecisionResponse:
    return schemas.DecisionResponse.model_validate(row)
