"""The first screen of an app in one request."""

from datetime import timedelta
from typing import Final

from fastapi import APIRouter

from services.api.dependencies import Work
from services.api.family.access import Caller, IsLoggedIn
from services.api.family.routes.alerts import alert_responses
from services.api.family.routes.events import cursor_now
from services.api.family.routes.families import child_response
from services.api.family.routes.me import me_response
from services.api.family.routes.messages import message_response
from services.api.family.routes.sessions import waiting_response
from services.api.family.schemas import home as schemas
from services.api.family.schemas.messages import EndingRecordingsResponse
from services.api.family.schemas.programme import Helpline, Notice, OpenHelp, ProgrammeEndResponse
from services.api.problems import problem_responses
from services.core.conversation.messages.queries import conversation, unread_counts
from services.core.conversation.messages.retention import ending_recordings
from services.core.devices.alerts.queries import checks_of, unanswered_alerts
from services.core.devices.alerts.rules import kinds_visible_with
from services.core.devices.watches.queries import settings_of_child, watch_number_of
from services.core.office.help_requests.actions import helpline_of, open_help_of
from services.core.office.notices.actions import notices_for
from services.core.office.programme_end.actions import end_of_family
from services.core.people.consents.queries import has_consent
from services.core.people.consents.rules import Part
from services.core.people.households.log_ins import show_log_ins
from services.core.people.households.queries import children_of, country_of, families_of, rights_of, site_of_family
from services.core.people.households.rules import Right
from services.core.people.households.tables import Child, Family, Membership
from services.core.people.programme.emergency_numbers import emergency_number
from services.core.platform.db.database import UnitOfWork

router = APIRouter(prefix="/v1", tags=["home"])

_ALERTS_SHOWN_FOR: Final = timedelta(days=1)
_MAX_ALERTS: Final = 10


@router.get("/home", responses=problem_responses(401))
async def read_home(work: Work, caller: IsLoggedIn) -> schemas.HomeResponse:
    """Return what the first screen shows of all families of the caller; no place is read and nothing is logged.

    Children of a family are listed once the caller has consented. Events that follow are read from `cursor` on.
    """
    # The cursor first: what changes during this request is then told twice rather than never.
    cursor = await cursor_now(work, caller.guardian_id)
    families, children = [], []
    for membership, family in await families_of(work, caller.guardian_id):
        families.append(await _family(work, family))
        if await has_consent(work, caller.guardian_id, family.family_id, Part.MESSAGES):
            children += [
                await _child(work, caller, membership, child) for child in await children_of(work, family.family_id)
            ]
    until = caller.guardian.busy_until_at
    return schemas.HomeResponse(
        me=await me_response(work, caller.guardian),
        families=families,
        children=children,
        waiting_log_ins=[
            waiting_response(log_in, work.now) for log_in in await show_log_ins(work, caller.guardian_id)
        ],
        notice=await _newest_notice(work, caller),
        busy_until=until if until is not None and until > work.now else None,
        pin_is_set=caller.guardian.pin_hash is not None,
        cursor=cursor,
    )  # fmt: skip


async def _family(work: UnitOfWork, family: Family) -> schemas.HomeFamily:
    site = await site_of_family(work, family.family_id)
    country = None if site is None else site.country
    line = helpline_of(country)
    end = await end_of_family(work, family.family_id)
    return schemas.HomeFamily(
        family_id=family.family_id,
        country=country,
        timezone=None if site is None else site.timezone,
        helpline=Helpline(number=line.number, name=line.name),
        emergency_number=emergency_number(country or await country_of(work, family.family_id)),
        map="amap" if country == "CN" else "geo",
        programme_end=ProgrammeEndResponse(ends_on=None, told_at=None, erased_from=None)
        if end is None
        else ProgrammeEndResponse(ends_on=end.ends_on, told_at=end.told_at, erased_from=end.erased_from),
    )


async def _child(work: UnitOfWork, caller: Caller, membership: Membership, child: Child) -> schemas.HomeChild:
    rights = rights_of(membership)
    may_message = rights.has(Right.MESSAGE)
    newest = await conversation(work, child, caller.guardian_id, limit=1) if may_message else []
    counts = await unread_counts(work, caller.guardian_id, [child.child_id]) if may_message else []
    guardian_id = caller.guardian_id
    ending = await ending_recordings(work, child.child_id, guardian_id) if may_message else None
    alerts = await unanswered_alerts(
        work, child.child_id, kinds_visible_with(rights.words()), after=work.now - _ALERTS_SHOWN_FOR, limit=_MAX_ALERTS
    )
    checks = await checks_of(
        work, child.child_id, guardian_id, after=work.now - _ALERTS_SHOWN_FOR, limit=_MAX_ALERTS
    )  # fmt: skip
    return schemas.HomeChild(
        may_message=may_message,
        may_locate=rights.has(Right.LOCATE),
        may_manage=rights.has(Right.MANAGE),
        child=await child_response(work, child),
        location_on=(await settings_of_child(work, child.child_id)).location,
        watch_number=await watch_number_of(work, child.child_id) if may_message else None,
        last_message=message_response(newest[0], child) if newest else None,
        unread=sum(count.unread for count in counts),
        unplayed=sum(count.unplayed for count in counts),
        ending_recordings=EndingRecordingsResponse(count=ending.count, first_ends_at=ending.first_ends_at)
        if ending is not None and ending.count
        else None,
        alerts=await alert_responses(work, child, alerts) if may_message else [],
        checks=await alert_responses(work, child, checks) if may_message else [],
        help=[OpenHelp.model_validate(call.model_dump()) for call in await open_help_of(work, child)],
    )


async def _newest_notice(work: UnitOfWork, caller: Caller) -> Notice | None:
    for notice, family_id in await notices_for(work, caller.guardian_id, 1):
        return Notice.model_validate({**notice.model_dump(exclude={"family_id"}), "family_id": family_id})
    return None
