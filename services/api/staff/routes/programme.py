"""The programme's structure, for staff who serve the whole programme: sites, cohorts, last day."""

import uuid
from dataclasses import asdict

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.problems import problem_responses
from services.api.staff.access import MayManageStructure, StructureManagedAtSite, StructureOfSite
from services.api.staff.schemas import programme as schemas
from services.core.office.programme_end.actions import announce_end
from services.core.people.accounts.actors import staff_actor
from services.core.people.households.errors import NotFoundError
from services.core.people.privacy_notices.actions import state_notice
from services.core.people.privacy_notices.queries import stated_notice
from services.core.people.privacy_notices.rules import NoticeDetails, Processor, missing_fields, notice_version
from services.core.people.programme import actions
from services.core.people.programme.queries import programme_served
from services.core.people.programme.tables import Programme, Site
from services.core.platform.db.database import UnitOfWork

router = Routes(prefix="/v1/staff", tags=["staff: programme"])


@router.post("/programmes/{programme_id}/sites", responses=problem_responses(401, 403, 404, 409, 422))
async def create_site(
    work: Work, caller: MayManageStructure, programme_id: uuid.UUID, body: schemas.NewSiteRequest
) -> schemas.CreatedResponse:
    """Create a site of a programme. Repeating the request with the same attributes returns the existing one."""
    programme = await _programme(work, caller.staff_id, programme_id)
    made = await actions.create_site(work, staff_actor(caller.staff_id), programme, **body.model_dump())
    return schemas.CreatedResponse(id=made.row.site_id, is_new=made.is_new)


@router.post("/sites/{site_id}/cohorts", responses=problem_responses(401, 403, 404, 409, 422))
async def create_cohort(
    work: Work, scope: StructureManagedAtSite, body: schemas.NewCohortRequest
) -> schemas.CreatedResponse:
    """Create a cohort of a site. Repeating the request returns the existing one."""
    made = await actions.create_cohort(work, staff_actor(scope.caller.staff_id), scope.site, **body.model_dump())
    return schemas.CreatedResponse(id=made.row.cohort_id, is_new=made.is_new)


@router.get("/sites/{site_id}/privacy-notice", responses=problem_responses(401, 403, 404, 422))
async def read_notice(work: Work, scope: StructureOfSite) -> schemas.SiteNoticeResponse:
    """Return what the site states about who is responsible for the data, and what is missing."""
    return await _notice(work, scope.site)


@router.put("/sites/{site_id}/privacy-notice", responses=problem_responses(401, 403, 404, 422))
async def set_notice(work: Work, scope: StructureManagedAtSite, body: schemas.SiteNotice) -> schemas.SiteNoticeResponse:
    """Replace what the site states; each change is a new version. An empty field counts as missing."""
    processors = tuple(Processor(**processor.model_dump()) for processor in body.processors)
    details = NoticeDetails(**body.model_dump(exclude={"processors"}), processors=processors)
    await state_notice(work, staff_actor(scope.caller.staff_id), scope.site, details)
    return await _notice(work, scope.site)


async def _notice(work: UnitOfWork, site: Site) -> schemas.SiteNoticeResponse:
    version, details = await stated_notice(work, site.site_id)
    return schemas.SiteNoticeResponse.model_validate(
        {**asdict(details), "notice_version": notice_version(version),
         "missing": list(missing_fields(details, site.country))}
    )  # fmt: skip


@router.put("/programmes/{programme_id}/end", responses=problem_responses(401, 403, 404, 422))
async def set_end(
    work: Work, caller: MayManageStructure, programme_id: uuid.UUID, body: schemas.SetProgrammeEndRequest
) -> schemas.SetProgrammeEndResponse:
    """Announce the programme's last day, at least 30 days ahead, or cancel it. Every family is notified."""
    programme = await _programme(work, caller.staff_id, programme_id)
    changed = await announce_end(work, staff_actor(caller.staff_id), programme, body.ends_on)
    return schemas.SetProgrammeEndResponse(ends_on=body.ends_on, changed=changed)


async def _programme(work: UnitOfWork, staff_id: uuid.UUID, programme_id: uuid.UUID) -> Programme:
    programme = await programme_served(work, staff_id, programme_id)
    if programme is None:
        raise NotFoundError
    return programme
