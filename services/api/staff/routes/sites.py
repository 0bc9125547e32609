"""Sites, cohorts, and the devices of a site, with families by their code and without content or positions."""

from dataclasses import asdict
from typing import Annotated, Final, Literal

from fastapi import Path, Query

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.problems import problem_responses
from services.api.staff.access import (
    DevicesOfSite,
    FamilyCodesAtSite,
    MaySeeStructure,
    Permission,
    StaffCaller,
    StructureOfSite,
    joins_health_and_families,
)
from services.api.staff.schemas import sites as schemas
from services.api.staff.schemas.care import FamilyCodeInPath
from services.core.office.hand_outs.board import SINCE_CHARACTERS, board_of
from services.core.office.triage.single import family_details, watch_details
from services.core.office.triage.site_health import FamilyRow, Health, families_at, watches_at
from services.core.people.programme.queries import cohorts_of, sites_served

router = Routes(prefix="/v1/staff/sites", tags=["staff: sites"])

PAGE = 50
After = Annotated[
    str | None, Query(max_length=20, pattern=r"^[A-Za-z0-9-]+$", description="`next` of the previous page")
]
Limit = Annotated[int, Query(ge=1, le=200)]
Beginning = Annotated[
    str, Query(max_length=20, pattern=r"^[A-Za-z0-9-]*$", description="only those that begin with this text")
]
SerialInPath = Annotated[
    str, Path(min_length=4, max_length=20, pattern=r"^[A-Za-z0-9]+$", description="serial number on the watch")
]
Since = Annotated[
    str | None,
    Query(
        min_length=SINCE_CHARACTERS, max_length=SINCE_CHARACTERS, pattern=r"^[A-Za-z0-9_-]+$",
        description="`since` of the previous answer",
    ),
]  # fmt: skip


@router.get("", responses=problem_responses(401, 403))
async def list_sites(work: Work, caller: MaySeeStructure) -> schemas.SitesResponse:
    """List the sites in the caller's scopes."""
    return schemas.SitesResponse(
        sites=[
            schemas.Site(
                **site.model_dump(exclude={"created_at"}), programme=programme.name, simulated=programme.simulated
            )
            for programme, site in await sites_served(work, caller.staff_id)
        ]
    )


@router.get("/{site_id}/cohorts", responses=problem_responses(401, 403, 404, 422))
async def list_cohorts(work: Work, scope: StructureOfSite) -> schemas.CohortsResponse:
    """List the cohorts of a site."""
    return schemas.CohortsResponse(
        cohorts=[schemas.Cohort.model_validate(cohort.model_dump()) for cohort in await cohorts_of(work, scope.site)]
    )


@router.get("/{site_id}/watches", responses=problem_responses(401, 403, 404, 422))
async def list_watches(
    work: Work,
    scope: DevicesOfSite,
    after: After = None,
    limit: Limit = PAGE,
    state: Annotated[Literal["registered", "handed_out", "lost", "returned", "broken"] | None, Query()] = None,
    query: Beginning = "",
) -> schemas.WatchesAtSiteResponse:
    """List the watches of a site by serial, one page at a time; a coordinator sees no family codes here."""
    shows_codes = joins_health_and_families(scope.caller)
    page = await watches_at(work, scope.site.site_id, after=after, limit=limit, state=state, prefix=query)
    return schemas.WatchesAtSiteResponse(
        watches=[
            schemas.WatchAtSite(**_health(row).model_dump(), family_code=family_code if shows_codes else None)
            for row, family_code in page.rows
        ],
        next=page.rows[-1][0].serial if page.has_more else None,
    )


@router.get("/{site_id}/families", responses=problem_responses(401, 403, 404, 422))
async def list_families(
    work: Work, scope: FamilyCodesAtSite, after: After = None, limit: Limit = PAGE, query: Beginning = ""
) -> schemas.FamiliesAtSiteResponse:
    """List the families of a site by code with the health of their watches, one page at a time.

    A coordinator sees which watch a family has and whether it is paired, and nothing of its health.
    """
    page = await families_at(work, scope.site.site_id, after=after, limit=limit, prefix=query)
    return schemas.FamiliesAtSiteResponse(
        families=[_family(row, scope.caller) for row in page.rows],
        next=page.rows[-1].family_code if page.has_more else None,
    )


@router.get("/{site_id}/watches/{serial}", responses=problem_responses(401, 403, 404, 422))
async def read_watch(work: Work, scope: DevicesOfSite, serial: SerialInPath) -> schemas.WatchDetailsResponse:
    """Return a watch of the site by its serial, with its hand-outs, returns, losses and defects.

    A coordinator sees no family codes here.
    """
    shows_codes = joins_health_and_families(scope.caller)
    details = await watch_details(work, scope.site.site_id, serial)
    return schemas.WatchDetailsResponse(
        **_health(details.health).model_dump(),
        family_code=details.family_code if shows_codes else None,
        registered_at=details.registered_at,
        sim_expires_on=details.sim_expires_on,
        hand_outs=[
            schemas.WatchHandOut(
                family_code=given.family_code if shows_codes else None,
                given_at=given.given_at,
                undone_at=given.undone_at,
                given_by_name=given.by,
            )
            for given in details.given
        ],
        withdrawals=[
            schemas.WatchWithdrawal.model_validate(
                {
                    "what": withdrawal.what, "at": withdrawal.at,
                    "family_code": withdrawal.family_code if shows_codes else None,
                    "replaced_by": withdrawal.replaced_by, "by_name": withdrawal.by,
                }
            )
            for withdrawal in details.withdrawn
        ],
    )  # fmt: skip


@router.get("/{site_id}/families/{family_code}", responses=problem_responses(401, 403, 404, 422))
async def read_family(
    work: Work, scope: FamilyCodesAtSite, family_code: FamilyCodeInPath
) -> schemas.FamilyDetailsResponse:
    """Return a family of the site by its code: cohort, whether it has joined, its watches, open help and trainings.

    Whether a guardian has a working channel is told while a hand-out is open. Help and trainings are told to staff who
    support families; a coordinator sees no health of the watches.
    """
    supports = scope.caller.may(Permission.SUPPORT)
    details = await family_details(work, scope.site.site_id, family_code)
    return schemas.FamilyDetailsResponse(
        **_family(details.row, scope.caller).model_dump(),
        no_working_channel=details.no_working_channel,
        open_help=[schemas.OpenHelp(help_id=call.help_id, kind=call.kind, asked_at=call.asked_at)
                   for call in details.open_help] if supports else None,
        trainings=[schemas.Training(training=training.training, attended_on=training.attended_on)
                   for training in details.trainings] if supports else None,
    )  # fmt: skip


@router.get("/{site_id}/board", responses=problem_responses(401, 403, 404, 422))
async def read_board(work: Work, scope: FamilyCodesAtSite, since: Since = None) -> schemas.BoardResponse:
    """Return the families of a site for hand-out day: counts, and the parts of the board that have changed.

    A first request without `since` returns every part that has a family. A later one with the previous answer's `since`
    returns the parts that differ; each replaces the page's copy, and an empty one removes its families.
    """
    board = await board_of(work, scope.site.site_id, since)
    return schemas.BoardResponse(
        since=board.since, enrolled=board.enrolled, logged_in=board.logged_in, given=board.given, paired=board.paired,
        parts=[
            schemas.BoardPart(part=part, families=[schemas.BoardFamily(**asdict(row)) for row in rows])
            for part, rows in board.parts.items()
        ],
    )  # fmt: skip


# Findings from which staff could learn that a family has fallen silent.
_UNTOLD: Final = {
    "presence": None, "last_seen_at": None, "battery_pct": None, "firmware": None,
    "refused_packets": 0, "on_its_way_since_at": None,
}  # fmt: skip


def _family(row: FamilyRow, caller: StaffCaller) -> schemas.FamilyAtSite:
    show = _health if joins_health_and_families(caller) else _without_health
    return schemas.FamilyAtSite(
        family_code=row.family_code, cohort=row.cohort, enrolled_at=row.enrolled_at, has_logged_in=row.has_logged_in,
        watches=[show(watch) for watch in row.watches],
    )  # fmt: skip


def _without_health(health: Health) -> schemas.WatchHealth:
    return _health(health).model_copy(update=_UNTOLD)


def _health(health: Health) -> schemas.WatchHealth:
    return schemas.WatchHealth(
        serial=health.serial, model=health.model, state=health.state, paired=health.presence is not None,
        presence=health.presence,
        last_seen_at=health.last_seen_at, battery_pct=health.battery_pct, firmware=health.firmware,
        refused_packets=health.refused_packets, on_its_way_since_at=health.on_its_way_since_at,
    )  # fmt: skip
