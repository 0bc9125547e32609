"""What a child's watch is configured to, and until when a guardian is on shift."""

from fastapi import APIRouter

from services.api.dependencies import Work
from services.api.family.access import ChildScope, GuardianOfChild, IsLoggedIn, MayManageChild
from services.api.family.schemas import watch_settings as told
from services.api.problems import answers
from services.core.devices.contacts.guardians import set_busy
from services.core.devices.contacts.location import set_location
from services.core.devices.watch_settings.actions import SettingsChange, change_settings
from services.core.devices.watch_settings.quiet_rules import QuietTime, is_quiet, read_quiet_times, utc_offset_s
from services.core.devices.watches.queries import current_identity, settings_of_child
from services.core.platform.db.database import UnitOfWork

router = APIRouter(prefix="/v1", tags=["watch settings"])


@router.get("/children/{child_id}/watch-settings", responses=answers(401, 403, 404, 422))
async def read(work: Work, scope: GuardianOfChild) -> told.WatchSettings:
    """Tell what the child's watch is configured to, and whether it has taken it."""
    return await _told(work, scope)


@router.patch("/children/{child_id}/watch-settings", responses=answers(401, 403, 404, 409, 422))
async def change(work: Work, scope: MayManageChild, asked: told.ChangeWatchSettings) -> told.WatchSettings:
    """Change the configuration; the watch takes it when it is there, and is told until it has."""
    if asked.location is not None:
        await set_location(work, scope.child, scope.membership, on=asked.location)
    quiet = None if asked.quiet is None else [QuietTime(tuple(one.days), one.starts, one.ends) for one in asked.quiet]
    await change_settings(
        work, scope.child, scope.caller.guardian_id,
        SettingsChange(asked.checkin_interval_s, quiet, asked.language, asked.volume_pct),
    )  # fmt: skip
    return await _told(work, scope)


@router.get("/me/availability", responses=answers(401))
async def read_availability(work: Work, caller: IsLoggedIn) -> told.Availability:
    """Tell until when the caller is on shift."""
    until = caller.guardian.busy_until_at
    return told.Availability(busy_until=until if until is not None and until > work.now else None)


@router.put("/me/availability", responses=answers(401, 422))
async def set_availability(work: Work, caller: IsLoggedIn, asked: told.SetAvailability) -> told.Availability:
    """Say until when you are on shift: your children see on their watches that an answer will take its time."""
    guardian = await set_busy(work, caller.guardian, asked.busy_until)
    return told.Availability(busy_until=guardian.busy_until_at)


async def _told(work: UnitOfWork, scope: ChildScope) -> told.WatchSettings:
    settings = await settings_of_child(work, scope.child.child_id)
    identity = await current_identity(work, scope.child.child_id)
    quiet = read_quiet_times(settings.quiet)
    return told.WatchSettings.model_validate(
        {
            **settings.model_dump(exclude={"quiet", "utc_offset_s"}),
            "acked_version": None if identity is None else identity.config_acked_version,
            "quiet": [told.QuietTime(days=list(one.days), starts=one.starts, ends=one.ends) for one in quiet],
            "quiet_now": is_quiet(quiet, settings.timezone, work.now),
            "utc_offset_s": utc_offset_s(settings.timezone, work.now),
        }
    )
