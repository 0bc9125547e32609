"""Usage metrics: published numbers after disclosure control, and two operational lists for a site's own staff."""

import uuid
from datetime import date
from typing import Annotated

from fastapi import Query

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.problems import problem_responses
from services.api.staff.access import AggregatesOfSite, DevicesOfSite, IsStaff, MayExport, SupportsAtSite
from services.api.staff.schemas import usage as schemas
from services.core.measurement.exports.words import words
from services.core.measurement.indicators.rules import INDICATORS
from services.core.measurement.publishing import queries
from services.core.measurement.publishing.coding import bound_of
from services.core.people.households.errors import NotFoundError
from services.core.people.programme.queries import cohort_of_site, programme_served
from services.core.platform.db.database import UnitOfWork
from services.core.platform.disclosure import LEAST, Audience
from services.core.platform.locales import LOCALES

router = Routes(prefix="/v1/staff", tags=["staff: usage"])

# One page is one year; a year of one scope has about 1,100 numbers.
PAGE_WEEKS = 52
SILENT_PAGE = 50
Indicator = Annotated[
    str | None,
    Query(
        max_length=30, pattern=r"^[a-z0-9_]+$", description="only this indicator, by its code in /v1/staff/indicators"
    ),
]
FirstWeek = Annotated[date, Query(description="first Monday; `next` of the previous page")]
LastWeek = Annotated[date, Query(description="last Monday")]
Limit = Annotated[int, Query(ge=1, le=PAGE_WEEKS, description="maximum number of weeks on the page")]


@router.get("/indicators", responses=problem_responses(401))
async def list_indicators(caller: IsStaff) -> schemas.IndicatorsResponse:  # noqa: ARG001 - the rule is what matters
    """List every usage indicator with its version, and its definition in each language."""
    return schemas.IndicatorsResponse(
        indicators=[
            schemas.Indicator.model_validate(
                {
                    "code": code, "version": indicator.version, "kind": indicator.kind.value,
                    "of_the_whole": indicator.of_the_whole,
                    "words": {
                        locale: {"name": words(locale)[f"name.{code}"],
                                 "definition": words(locale)[f"definition.{code}"]}
                        for locale in LOCALES
                    },
                }
            )
            for code, indicator in INDICATORS.items()
        ],
        reading=in_every_language("not_impact"),
        unit=in_every_language("unit"),
    )  # fmt: skip


@router.get("/sites/{site_id}/usage", responses=problem_responses(401, 403, 404, 422))
async def read_site(
    work: Work,
    scope: AggregatesOfSite,
    cohort_id: Annotated[uuid.UUID | None, Query(description="only this cohort of the site")] = None,
    indicator: Indicator = None,
    first_week: FirstWeek = date.min,
    last_week: LastWeek = date.max,
    limit: Limit = PAGE_WEEKS,
) -> schemas.UsageResponse:
    """Return the published weeks of a site or cohort, for groups of at least 5 families, one page at a time."""
    site = scope.site
    if cohort_id is not None and await cohort_of_site(work, site.site_id, cohort_id) is None:
        raise NotFoundError
    query = queries.CellQuery(
        cohort_id or site.site_id, indicator=indicator, first_week=first_week, last_week=last_week
    )
    page = await _page(work, site.programme_id, query, limit)
    return page.model_copy(update={"site_id": site.site_id, "cohort_id": cohort_id})


@router.get("/programmes/{programme_id}/usage", responses=problem_responses(401, 403, 404, 422))
async def read_programme(
    work: Work,
    caller: MayExport,
    programme_id: uuid.UUID,
    indicator: Indicator = None,
    first_week: FirstWeek = date.min,
    last_week: LastWeek = date.max,
    limit: Limit = PAGE_WEEKS,
) -> schemas.UsageResponse:
    """Return the published weeks of a programme that the caller serves as a whole, one page at a time."""
    if await programme_served(work, caller.staff_id, programme_id) is None:
        raise NotFoundError
    query = queries.CellQuery(programme_id, indicator=indicator, first_week=first_week, last_week=last_week)
    return await _page(work, programme_id, query, limit)


@router.get("/sites/{site_id}/silent-families", responses=problem_responses(401, 403, 404, 422))
async def list_silent(
    work: Work,
    scope: SupportsAtSite,
    after: Annotated[
        str, Query(max_length=41, pattern=r"^[A-Za-z0-9 -]*$", description="`next` of the previous page")
    ] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = SILENT_PAGE,
) -> schemas.SilentFamiliesResponse:
    """List the site's families whose watch has not been heard for 7 days by code, for support, not statistics.

    Whether a family talks is not told: that would show which families have agreed to measurement.
    """
    # Sorted here, because the database's collation varies and the next page starts after this key.
    families = {
        f"{family.family_code} {family.serial}": family
        for family in await queries.silent_families(work, scope.site.site_id)
    }
    listed = sorted(place for place in families if place > after)
    page = listed[:limit]
    return schemas.SilentFamiliesResponse(
        families=[
            schemas.SilentFamily(
                family_code=family.family_code, serial=family.serial, states=list(family.states),
                battery_pct=family.battery_pct, last_seen_at=family.last_seen_at,
            )
            for family in (families[place] for place in page)
        ],
        next=page[-1] if len(listed) > limit else None,
    )  # fmt: skip


@router.get("/sites/{site_id}/device-states", responses=problem_responses(401, 403, 404, 422))
async def count_devices(work: Work, scope: DevicesOfSite) -> schemas.DeviceStatesResponse:
    """Return the number of the site's watches by state, such as handed out, paired, silent, low battery or lost.

    `misdated_fixes` (watches that sent positions with an impossible date) is told of five watches or more.
    """
    return schemas.DeviceStatesResponse(
        states=dict(sorted((await queries.device_counts(work, scope.site.site_id)).items()))
    )


def in_every_language(word: str) -> dict[schemas.Locale, str]:
    """Return a report sentence in every language."""
    return {locale: words(locale)[word] for locale in LOCALES}


async def _page(
    work: UnitOfWork, programme_id: uuid.UUID, query: queries.CellQuery, limit: int
) -> schemas.UsageResponse:
    page = await queries.published_weeks(work, programme_id, query, limit)
    return schemas.UsageResponse(
        programme_id=programme_id,
        site_id=None,
        cohort_id=None,
        least_families=LEAST[query.audience],
        weeks=[
            schemas.UsageWeek(
                week=week,
                cells=[
                    schemas.UsageCell(
                        indicator=cell.indicator, version=cell.version, suppressed=cell.value is None, n=cell.n,
                        count=cell.count, value=cell.value, lower_quartile=cell.lower_quartile,
                        upper_quartile=cell.upper_quartile, bound=bound_of(cell, Audience.STAFF),
                    )
                    for cell in cells
                ],
            )
            for week, cells in page.weeks
        ],
        next=page.next_week,
    )  # fmt: skip
