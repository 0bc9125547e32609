"""Sites, cohorts, and the devices of a site, with families by their code and without content or positions."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query

from services.api.dependencies import Work
from services.api.problems import problem_responses
from services.api.staff.access import (
    DevicesOfSite,
    FamilyCodesAtSite,
    MaySeeStructure,
    StructureOfSite,
    joins_health_and_families,
)
from services.api.staff.schemas import accounts as schemas
from services.core.office.triage.site_health import Health, families_at, watches_at
from services.core.people.programme.queries import cohorts_of, sites_served

router = APIRouter(prefix="/v1/staff/sites", tags=["staff: sites"])

PAGE = 50
After = Annotated[
    str | None, Query(max_length=20, pattern=r"^[A-Za-z0-9-]+$", description="`next` of the previous page")
]
Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("", responses=problem_responses(401, 403))
async def list_sites(work: Work, caller: MaySeeStructure) -> schemas.SitesResponse:
    """List the sites in the caller's scopes."""
    return schemas.SitesResponse(
        sites=[
            schemas.Site(**site.model_dump(exclude={"created_at"}), programme=programme.name)
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
) -> schemas.WatchesAtSiteResponse:
    """List the watches of a site by serial, one page at a time; a coordinator sees no family codes here."""
    shows_codes = joins_health_and_families(scope.caller)
    page = await watches_at(work, scope.site.site_id, after=after, limit=limit, state=state)
    return schemas.WatchesAtSiteResponse(
        watches=[
            schemas.WatchAtSite(**_health(row).model_dump(), family_code=family_code if shows_codes else None)
            for row, family_code in page.rows
        ],
        next=page.rows[-1][0].serial if page.has_more else None,
    )


@router.get("/{site_id}/families", responses=problem_responses(401, 403, 404, 422))
async def list_families(
    work: Work, scope: FamilyCodesAtSite, after: After = None, limit: Limit = PAGE
) -> schemas.FamiliesAtSiteResponse:
    """List the families of a site by code with the health of their watches, one page at a time.

    A coordinator sees which watch a family has and whether it is paired, and nothing of its health.
    """
    show = _health if joins_health_and_families(scope.caller) else _without_health
    page = await families_at(work, scope.site.site_id, after=after, limit=limit)
    return schemas.FamiliesAtSiteResponse(
        families=[
            schemas.FamilyAtSite(
                family_code=row.family_code,
                cohort=row.cohort,
                enrolled_at=row.enrolled_at,
                has_logged_in=row.has_logged_in,
                watches=[show(watch) for watch in row.watches],
            )
            for row in page.rows
        ],
        next=page.rows[-1].family_code if page.has_more else None,
    )


# Findings from which staff could learn that a family has fallen silent.
_UNTOLD: Final = {
    "presence": None, "last_seen_at": None, "battery_pct": None, "firmware": None,
    "refused_packets": 0, "on_its_way_since_at": None,
}  # fmt: skip


def _without_health(one: Health) -> schemas.WatchHealth:
    return _health(one).model_copy(update=_UNTOLD)


def _health(one: Health) -> schemas.WatchHealth:
    return schemas.WatchHealth(
        serial=one.serial, model=one.model, state=one.state, paired=one.presence is not None, presence=one.presence,
        last_seen_at=one.last_seen_at, battery_pct=one.battery_pct, firmware=one.firmware,
        refused_packets=one.refused_packets, on_its_way_since_at=one.on_its_way_since_at,
    )  # fmt: skip
