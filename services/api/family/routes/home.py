"""The first screen of an app in one request."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.family.access import IsLoggedIn
from services.api.family.routes.alerts import AlertNumbers, alert_response
from services.api.family.routes.events import cursor_at
from services.api.family.routes.families import response_with_watch
from services.api.family.routes.me import account_response
from services.api.family.routes.messages import message_response
from services.api.family.routes.sessions import waiting_response
from services.api.family.schemas import home as schemas
from services.api.family.schemas.messages import EndingRecordingsResponse
from services.api.family.schemas.programme import Helpline, Notice, OpenHelp, ProgrammeEndResponse
from services.api.problems import problem_responses
from services.core.conversation.first_screen import ChildShown, children_shown
from services.core.conversation.first_screen_questions import Questions, questions_shown
from services.core.devices.alerts.queries import AlertsShown
from services.core.devices.alerts.rules import kinds_visible_with
from services.core.office.help_requests.actions import helpline_of
from services.core.office.programme_end.actions import end_as_told
from services.core.people.consents.rules import Part
from services.core.people.households.first_screen import FamilyShown, families_shown
from services.core.people.households.log_ins import show_log_ins
from services.core.people.households.queries import rights_of
from services.core.people.households.rules import Right
from services.core.people.households.tables import Membership
from services.core.people.programme.emergency_numbers import emergency_number
from services.core.platform.db.database import UnitOfWork

router = Routes(prefix="/v1", tags=["home"])

_ALERTS_SHOWN_FOR: Final = timedelta(days=1)
_MAX_ALERTS: Final = 10


@router.get("/home", responses=problem_responses(401))
async def read_home(work: Work, caller: IsLoggedIn) -> schemas.HomeResponse:
    """Return what the first screen shows of all families of the caller; no place is read and nothing is logged.

    Children of a family are listed once the caller has consented. Events that follow are read from `cursor` on.
    """
    # The cursor comes with the families: what changes during this request is then told twice rather than never.
    shown = await families_shown(work, caller.guardian)
    agreed = {of.family.family_id: of.membership for of in shown.families if of.has_consent(Part.MESSAGES)}
    children = await children_shown(
        work, caller.guardian_id, agreed, alerts_after=work.now - _ALERTS_SHOWN_FOR
    )  # fmt: skip
    questions = await questions_shown(
        work, caller.guardian, kinds=_kinds_seen(agreed, children), after=work.now - _ALERTS_SHOWN_FOR,
        limit=_MAX_ALERTS, asking=[of.child.child_id for of in children if of.asks_for_help],
        is_invited=shown.is_invited,
    )  # fmt: skip
    until = caller.guardian.busy_until_at
    log_ins = await show_log_ins(work, caller.guardian_id) if shown.has_log_ins else []
    families = [_family(of) for of in shown.families]
    numbers = {of.family_id: of.emergency_number for of in families}
    return schemas.HomeResponse(
        me=account_response(caller.guardian, shown, questions.invitations),
        families=families,
        children=[
            await _child(work, agreed[family_id], of, questions, numbers[family_id])
            for family_id in agreed for of in children if of.child.family_id == family_id
        ],
        waiting_log_ins=[waiting_response(log_in, work.now) for log_in in log_ins],
        notice=_newest_notice(shown.families),
        busy_until=until if until is not None and until > work.now else None,
        pin_is_set=caller.guardian.pin_hash is not None,
        cursor=cursor_at(shown),
    )  # fmt: skip


def _kinds_seen(agreed: Mapping[uuid.UUID, Membership], children: Sequence[ChildShown]) -> dict[uuid.UUID, set[str]]:
    """Return by child with recent alerts of which kinds the guardian sees them."""
    rights = {of.child.child_id: rights_of(agreed[of.child.family_id]) for of in children if of.has_alerts}
    return {
        child_id: set(kinds_visible_with(of_child.words()))
        for child_id, of_child in rights.items()
        if of_child.has(Right.MESSAGE)
    }


def _family(of: FamilyShown) -> schemas.HomeFamily:
    country = None if of.site is None else of.site.country
    line = helpline_of(country)
    programme_end = ProgrammeEndResponse(ends_on=None, told_at=None, erased_from=None)
    if of.ends_on is not None and of.ends_in_timezone is not None:
        end = end_as_told(of.ends_on, of.ends_in_timezone, of.told_at)
        programme_end = ProgrammeEndResponse(ends_on=end.ends_on, told_at=end.told_at, erased_from=end.erased_from)
    return schemas.HomeFamily(
        family_id=of.family.family_id,
        country=country,
        timezone=None if of.site is None else of.site.timezone,
        helpline=Helpline(number=line.number, name=line.name),
        emergency_number=emergency_number(of.country),
        map="amap" if country == "CN" else "geo",
        programme_end=programme_end,
    )


async def _child(
    work: UnitOfWork, membership: Membership, of: ChildShown, questions: Questions, emergency_number: str
) -> schemas.HomeChild:
    rights = rights_of(membership)
    may_message = rights.has(Right.MESSAGE)
    child = of.child
    watch_number = of.watch.watch.sim_number if may_message and of.watch is not None else None
    numbers = AlertNumbers(emergency_number, watch_number)
    alerts = questions.alerts.get(child.child_id, AlertsShown())
    return schemas.HomeChild(
        may_message=may_message,
        may_locate=rights.has(Right.LOCATE),
        may_manage=rights.has(Right.MANAGE),
        child=await response_with_watch(work, child, of.watch),
        location_on=of.location_on,
        watch_number=watch_number,
        last_message=message_response(of.newest, child) if may_message and of.newest is not None else None,
        unread=of.unread if may_message else 0,
        unplayed=of.unplayed if may_message else 0,
        ending_recordings=EndingRecordingsResponse(count=of.ending.count, first_ends_at=of.ending.first_ends_at)
        if may_message and of.ending.count
        else None,
        alerts=[alert_response(row, numbers, questions.calls, questions.answers) for row in alerts.unanswered],
        checks=[alert_response(row, numbers, questions.calls, questions.answers) for row in alerts.checks],
        help=[OpenHelp.model_validate(call.model_dump()) for call in questions.help if call.child_id == child.child_id],
    )


def _newest_notice(families: Sequence[FamilyShown]) -> Notice | None:
    notices = [(of.notice, of.family.family_id) for of in families if of.notice is not None]
    if not notices:
        return None
    # Of notices at the same instant the one with the least id, as in the list of all.
    newest_at = max(notice.created_at for notice, _ in notices)
    notice, family_id = min(
        ((notice, family_id) for notice, family_id in notices if notice.created_at == newest_at),
        key=lambda pair: (pair[0].notice_id, pair[1]),
    )
    return Notice.model_validate({**notice.model_dump(exclude={"family_id"}), "family_id": family_id})
