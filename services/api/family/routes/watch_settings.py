"""Configuration of a child's watch, and the availability of guardians."""

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.family.access import ChildScope, GuardianOfChild, IsLoggedIn, MayManageChild
from services.api.family.schemas import watch_settings as schemas
from services.api.problems import problem_responses
from services.core.devices.contacts.guardians import set_busy
from services.core.devices.contacts.location import set_location
from services.core.devices.watch_settings.actions import SettingsChange, change_settings
from services.core.devices.watch_settings.quiet_rules import QuietTime, is_quiet, read_quiet_times, utc_offset_s
from services.core.devices.watches.queries import current_identity, settings_of_child
from services.core.platform.db.database import UnitOfWork

router = Routes(prefix="/v1", tags=["watch settings"])


@router.get("/children/{child_id}/watch-settings", responses=problem_responses(401, 403, 404, 422))
async def read(work: Work, scope: GuardianOfChild) -> schemas.WatchSettingsResponse:
    """Return the configuration of the child's watch, and the version that the watch has acknowledged."""
    return await _response(work, scope)


@router.patch("/children/{child_id}/watch-settings", responses=problem_responses(401, 403, 404, 409, 422))
async def change(
    work: Work, scope: MayManageChild, body: schemas.ChangeWatchSettingsRequest
) -> schemas.WatchSettingsResponse:
    """Change the configuration; omitted fields stay unchanged.

    The server sends the new version until the watch acknowledges it. Location needs the caller's consent.
    """
    if body.location is not None:
        await set_location(work, scope.child, scope.membership, on=body.location)
    quiet = (
        None
        if body.quiet is None
        else [QuietTime(tuple(period.days), period.starts, period.ends) for period in body.quiet]
    )
    await change_settings(
        work, scope.child, scope.caller.guardian_id,
        SettingsChange(body.checkin_interval_s, quiet, body.language, body.volume_pct),
    )  # fmt: skip
    return await _response(work, scope)


@router.get("/me/availability", responses=problem_responses(401))
async def read_availability(work: Work, caller: IsLoggedIn) -> schemas.AvailabilityResponse:
    """Return until when the caller is on shift; null when the caller is not."""
    until = caller.guardian.busy_until_at
    return schemas.AvailabilityResponse(busy_until=until if until is not None and until > work.now else None)


@router.put("/me/availability", responses=problem_responses(401, 422))
async def set_availability(
    work: Work, caller: IsLoggedIn, body: schemas.AvailabilityRequest
) -> schemas.AvailabilityResponse:
    """Set until when the caller is on shift; the watches of the caller's children show it. Null ends the shift."""
    guardian = await set_busy(work, caller.guardian, body.busy_until)
    return schemas.AvailabilityResponse(busy_until=guardian.busy_until_at)


async def _response(work: UnitOfWork, scope: ChildScope) -> schemas.WatchSettingsResponse:
    settings = await settings_of_child(work, scope.child.child_id)
    identity = await current_identity(work, scope.child.child_id)
    quiet = read_quiet_times(settings.quiet)
    return schemas.WatchSettingsResponse.model_validate(
        {
            **settings.model_dump(exclude={"quiet", "utc_offset_s"}),
            "acked_version": None if identity is None else identity.config_acked_version,
            "quiet": [
                schemas.QuietTime(days=list(period.days), starts=period.starts, ends=period.ends) for period in quiet
            ],
            "quiet_now": is_quiet(quiet, settings.timezone, work.now),
            "utc_offset_s": utc_offset_s(settings.timezone, work.now),
        }
    )
