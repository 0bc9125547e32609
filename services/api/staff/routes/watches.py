"""Hand-out, withdrawal and triage of a site's watches, by serial and family code."""

import uuid
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import Query
from starlette.responses import Response

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.problems import problem_responses
from services.api.staff.access import (
    DevicesOfSite,
    FamilyCodesAtSite,
    HandsOutAtSite,
    Permission,
    joins_health_and_families,
    sees_family_codes,
)
from services.api.staff.papers import PaperSettings, imprint_of
from services.api.staff.schemas import programme as schemas
from services.core.devices.watches.errors import WatchElsewhereError
from services.core.devices.watches.rules import serial_of_scan
from services.core.office.hand_outs import watches as hand_out
from services.core.office.hand_outs.paper_pairs import enter_from_paper
from services.core.office.hand_outs.withdrawal import replace_watch, withdraw_watch
from services.core.office.papers.site_papers import Layout, hand_out_paper, labels_of_site, leaflet_of_site
from services.core.office.triage import queries as triage
from services.core.people.accounts.actors import staff_actor
from services.core.people.households.errors import NotFoundError
from services.core.people.programme.queries import cohort_of_site
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits

router = Routes(prefix="/v1/staff/sites/{site_id}", tags=["staff: watches"])

PAGE = 50
PageLocale = Literal["en", "zh-Hans", "vi", "tr"]
After = Annotated[str, Query(max_length=20, pattern=r"^[A-Z0-9]*$", description="`next` of the previous page")]
PDF: dict[int | str, dict[str, Any]] = {200: {"content": {"application/pdf": {}}, "description": "A4, ready to print"}}


@router.get("/triage", responses=problem_responses(401, 403, 404, 422))
async def read_triage(
    work: Work,
    scope: DevicesOfSite,
    kind: schemas.Kind | None = None,
    after: After = "",
    limit: Annotated[int, Query(ge=1, le=200)] = PAGE,
    locale: PageLocale = "en",
) -> schemas.TriageResponse:
    """List the watches of a site that need staff action, with advice, one page of watches at a time."""
    entries = await triage.triage_site(work, scope.site.site_id, kind=kind, after=after, most=limit + 1)
    serials = list(dict.fromkeys(entry.serial for entry in entries))
    page = set(serials[:limit])
    shows_codes = joins_health_and_families(scope.caller)
    kinds = await triage.site_warnings(work, scope.site) if scope.caller.may(Permission.RECOVER) else []
    return schemas.TriageResponse(
        site_warnings=[
            schemas.SiteWarning.model_validate({"kind": kind, "advice": triage.advice(kind, locale)}) for kind in kinds
        ],
        entries=[
            schemas.TriageEntry.model_validate(
                {
                    "serial": entry.serial, "kind": entry.finding.kind,
                    "family_code": entry.family_code if shows_codes else None,
                    "since_at": entry.finding.since_at, "advice": triage.advice(entry.finding.kind, locale),
                }
            )
            for entry in entries
            if entry.serial in page
        ],
        next=serials[limit - 1] if len(serials) > limit else None,
    )  # fmt: skip


@router.post("/watch-hand-outs", responses=problem_responses(401, 403, 404, 409, 422))
async def hand_out_by_scan(
    work: Work, scope: FamilyCodesAtSite, body: schemas.HandOutWatchRequest
) -> schemas.HandedOutWatchResponse:
    """Hand out a watch to an enrolled family of the site by label and family code. Repeating it changes nothing.

    While a hand-out is open, the response states whether a guardian of the family has no working channel, so that staff
    can help on the spot; the watch is handed out in either case.
    """
    is_new = await hand_out.hand_out_watch(
        work, staff_actor(scope.caller.staff_id), body.scan, body.family_code, site_id=scope.site.site_id
    )
    return schemas.HandedOutWatchResponse(
        serial=serial_of_scan(body.scan), family_code=body.family_code.strip().upper(), is_new=is_new,
        no_working_channel=await hand_out.lacks_channel_at(
            work, scope.site.site_id, body.family_code,
            # A coordinator passes the access rule only while a hand-out is open.
            is_open=not joins_health_and_families(scope.caller),
        ),
    )  # fmt: skip


@router.post("/watch-hand-outs/undo", responses=problem_responses(401, 403, 404, 409, 422))
async def undo(work: Work, scope: FamilyCodesAtSite) -> schemas.UndoneHandOutResponse:
    """Undo the caller's last hand-out at this site within two hours, unless the watch is already paired."""
    undone = await hand_out.undo_last_hand_out(work, staff_actor(scope.caller.staff_id), site_id=scope.site.site_id)
    return schemas.UndoneHandOutResponse(serial=undone.serial, family_code=undone.family_code)


@router.post("/watch-hand-outs/paper", responses=problem_responses(401, 403, 404, 422, 429))
async def enter_paper(
    work: Work, scope: FamilyCodesAtSite, body: schemas.EnterPaperRequest
) -> schemas.EnterPaperResponse:
    """Enter pairs that were written on paper while there was no network, all or none. Repeating it changes nothing."""
    await charge(work, Charge(Limits.LISTS_OF_STAFF, str(scope.caller.staff_id)))
    entered = await enter_from_paper(
        work, staff_actor(scope.caller.staff_id), scope.site.site_id,
        [(pair.scan, pair.family_code) for pair in body.pairs], body.given_at,
    )  # fmt: skip
    faults = [schemas.PaperPairFault.model_validate(asdict(fault)) for fault in entered.faults]
    if faults:
        await work.roll_back()
        return schemas.EnterPaperResponse(taken=False, faults=faults, handed_out=0, unchanged=0)
    if body.dry_run:
        await work.roll_back()
    return schemas.EnterPaperResponse(
        taken=not body.dry_run, faults=[], handed_out=len(entered.given), unchanged=entered.unchanged
    )


@router.post("/watch-withdrawals", responses=problem_responses(401, 403, 404, 409, 422))
async def withdraw(
    work: Work, scope: HandsOutAtSite, body: schemas.WithdrawWatchRequest
) -> schemas.WithdrawnWatchResponse:
    """Record a watch of the site as returned, lost or broken and end its pairing. Repeating it changes nothing."""
    serial = serial_of_scan(body.scan)
    await hand_out.locked_watch(work, serial, site_id=scope.site.site_id)
    changed = await withdraw_watch(work, staff_actor(scope.caller.staff_id), serial, body.state)
    return schemas.WithdrawnWatchResponse(serial=serial, state=body.state, changed=changed)


@router.post("/watch-replacements", responses=problem_responses(401, 403, 404, 409, 422))
async def replace(
    work: Work, scope: HandsOutAtSite, body: schemas.ReplaceWatchRequest
) -> schemas.WithdrawnWatchResponse:
    """Replace a family's watch by another of the site. Pending items go to it, and the old watch cannot log in."""
    old, new = serial_of_scan(body.scan), serial_of_scan(body.replacement)
    for serial in sorted({old, new}):
        await hand_out.locked_watch(work, serial, site_id=scope.site.site_id)
    try:
        changed = await replace_watch(work, staff_actor(scope.caller.staff_id), old, new, body.state)
    except WatchElsewhereError as refused:
        if await sees_family_codes(work, scope):
            raise
        # Which family has a watch is told to a coordinator inside an open hand-out only.
        raise WatchElsewhereError(refused.serial, None) from None
    return schemas.WithdrawnWatchResponse(serial=old, state=body.state, changed=changed)


@router.get("/watch-labels", response_class=Response, responses={**problem_responses(401, 403, 404, 409, 422), **PDF})
async def print_labels(work: Work, scope: HandsOutAtSite, settings: PaperSettings) -> Response:
    """Print a label for each watch of the site: the programme, the serial, and the number that a finder calls."""
    return _pdf(await labels_of_site(work, scope.site, imprint_of(settings)), "labels.pdf")


@router.get("/leaflet", response_class=Response, responses={**problem_responses(401, 403, 404, 409, 422), **PDF})
async def print_leaflet(
    work: Work,
    scope: HandsOutAtSite,
    settings: PaperSettings,
    locale: Annotated[PageLocale | None, Query(description="language of the leaflet; default: the site's")] = None,
) -> Response:
    """Print the leaflet for the home: five pictures, and whom to call, on one page of A5."""
    del work  # the access rule has read the site
    return _pdf(await leaflet_of_site(scope.site, imprint_of(settings), locale), "leaflet.pdf")


@router.get("/hand-out-list", response_class=Response, responses={**problem_responses(401, 403, 404, 422), **PDF})
async def print_list(
    work: Work,
    scope: FamilyCodesAtSite,
    cohort_id: uuid.UUID | None = None,
    layout: Annotated[Layout, Query(description="a list to sign, or strips to cut, one for each family")] = "list",
) -> Response:
    """Print a signature list of the site's or cohort's enrolled families: code and watch, without names or phones.

    While a hand-out is open, a family with a guardian who has joined and has no working channel yet is marked.
    """
    cohort = await cohort_of_site(work, scope.site.site_id, cohort_id) if cohort_id else None
    if cohort_id and cohort is None:
        raise NotFoundError
    paper = await hand_out_paper(work, scope.site, cohort, layout)
    return _pdf(paper.pdf, "hand-out.pdf")


def _pdf(content: bytes, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "private, no-store"}
    return Response(content, media_type="application/pdf", headers=headers)
