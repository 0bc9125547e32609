"""Import of a site's lists, CSV or XLSX: all rows or none; repeating an import changes nothing."""

from fastapi import Request

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.problems import problem_responses
from services.api.staff.access import FamilyCodesAtSite, HandsOutAtSite, RegistersWatchesAtSite
from services.api.staff.lists import Counts, import_list
from services.api.staff.schemas.imports import DryRun, ListImportResponse, list_body
from services.core.office.enrolment.actions import FamilyList, family_list
from services.core.office.enrolment.participation import TrainingRow, read_training_list, record_trainings
from services.core.office.enrolment.with_watches import enrol_and_hand_out
from services.core.office.registration.actions import register_with_vendor_secrets
from services.core.office.registration.delivery import Delivery, read_delivery
from services.core.office.sim_cards.actions import SimRow, read_sim_list, record_sims
from services.core.people.accounts.actors import staff_actor
from services.core.people.programme.queries import programme_of
from services.core.platform.db.database import UnitOfWork
from services.core.platform.spreadsheets.sheets import Listed

router = Routes(prefix="/v1/staff/sites/{site_id}/imports", tags=["staff: imports"])


@router.post(
    "/watches",
    responses=problem_responses(401, 403, 404, 422, 429),
    openapi_extra=list_body("serial, model; secret (of a new watch), imei, iccid, sim_holder, sim_expires, site"),
)
async def import_watches(
    request: Request, work: Work, scope: RegistersWatchesAtSite, *, dry_run: DryRun = False
) -> ListImportResponse:
    """Register watches of the site with their vendor-supplied secrets. No response ever contains a secret."""
    site, programme = scope.site.name, (await programme_of(work, scope.site.programme_id)).name

    async def write(writing: UnitOfWork, delivery: Delivery) -> Counts:
        done = await register_with_vendor_secrets(
            writing, staff_actor(scope.caller.staff_id), delivery.watches, delivery.offered, programme=programme,
            further=delivery.faults,
        )  # fmt: skip
        return Counts(len(done.registered), len(done.updated), len(done.unchanged))

    return await import_list(request, work, scope, lambda raw: read_delivery(raw, site), write, dry_run=dry_run)


@router.post(
    "/families",
    responses=problem_responses(401, 403, 404, 422, 429),
    openapi_extra=list_body("family_code, phone, cohort; watch_serial, site. No names"),
)
async def import_families(
    request: Request, work: Work, scope: FamilyCodesAtSite, *, dry_run: DryRun = False
) -> ListImportResponse:
    """Enrol families of the site and hand out the watches named in the list."""
    site, programme = scope.site.name, (await programme_of(work, scope.site.programme_id)).name

    async def write(writing: UnitOfWork, listed: FamilyList) -> Counts:
        done = await enrol_and_hand_out(
            writing, staff_actor(scope.caller.staff_id), listed.families, programme=programme, further=listed.faults
        )
        return Counts(
            len(done.families.enrolled), unchanged=len(done.families.unchanged),
            watches_handed_out=len(done.handed_out),
        )  # fmt: skip

    return await import_list(request, work, scope, lambda raw: family_list(raw, site), write, dry_run=dry_run)


@router.post(
    "/sims",
    responses=problem_responses(401, 403, 404, 422, 429),
    openapi_extra=list_body("serial; iccid, number, holder, expires, quota_mb, month, used_mb"),
)
async def import_sims(
    request: Request, work: Work, scope: HandsOutAtSite, *, dry_run: DryRun = False
) -> ListImportResponse:
    """Record the SIM cards of the site's watches from the operator's list. Empty cells change nothing."""

    async def write(writing: UnitOfWork, listed: Listed[SimRow]) -> Counts:
        done = await record_sims(writing, staff_actor(scope.caller.staff_id), listed, site_id=scope.site.site_id)
        return Counts(changed=len(done.changed), unchanged=len(done.unchanged))

    return await import_list(request, work, scope, read_sim_list, write, dry_run=dry_run)


@router.post(
    "/trainings",
    responses=problem_responses(401, 403, 404, 422, 429),
    openapi_extra=list_body("family_code, training, attended_on"),
)
async def import_trainings(
    request: Request, work: Work, scope: FamilyCodesAtSite, *, dry_run: DryRun = False
) -> ListImportResponse:
    """Record attendances of trainings by the site's families."""

    async def write(writing: UnitOfWork, listed: Listed[TrainingRow]) -> Counts:
        done = await record_trainings(writing, staff_actor(scope.caller.staff_id), listed, site_id=scope.site.site_id)
        return Counts(done.noted, unchanged=done.unchanged)

    return await import_list(request, work, scope, read_training_list, write, dry_run=dry_run)
