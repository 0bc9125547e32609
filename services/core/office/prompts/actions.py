"""Reminders to guardians after a silent day: opt-in, at most once a day, in the daytime, without content.

Whether a message followed within a day is recorded as a usage fact; the message itself is not read.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from services.core.office.prompts.tables import Nudge, NudgeWanted
from services.core.people.consents.rules import Part
from services.core.people.households.tables import Child
from services.core.platform.db.columns import new_id
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.facts.actions import record_fact
from services.core.platform.facts.rules import STARTER_FOLLOWED, STARTER_NOT_FOLLOWED

FOLLOWS_WITHIN: Final = timedelta(hours=24)
# Site-local hours: reminders are sent from 09:00 until 20:00.
FROM_HOUR: Final = 9
TO_HOUR: Final = 20

# One query for all guardians. A silent day is a whole calendar day at the site without a message in either direction,
# and none since. Children and opt-ins younger than that day are excluded.
_SILENT = text("""
    SELECT wanted.guardian_id, child.child_id, child.family_id, here.day
    FROM nudge_wanted AS wanted
    JOIN membership AS member ON member.guardian_id = wanted.guardian_id
     AND member.removed_at IS NULL AND member.may_message
    JOIN child ON child.family_id = member.family_id
    JOIN enrolment ON enrolment.family_id = member.family_id AND enrolment.ended_at IS NULL
    JOIN site ON site.site_id = enrolment.site_id
    CROSS JOIN LATERAL (
        SELECT CAST(:now AS timestamptz) AT TIME ZONE site.timezone AS at
    ) AS local
    CROSS JOIN LATERAL (
        SELECT CAST(local.at AS date) AS day,
               (date_trunc('day', local.at) - interval '1 day') AT TIME ZONE site.timezone AS silent_from
    ) AS here
    WHERE extract(hour FROM local.at) >= :from_hour AND extract(hour FROM local.at) < :to_hour
      AND wanted.since_at <= here.silent_from AND child.created_at <= here.silent_from
      AND EXISTS (SELECT FROM consent WHERE consent.guardian_id = wanted.guardian_id
                  AND consent.family_id = member.family_id AND consent.part = :part AND consent.withdrawn_at IS NULL)
      AND NOT EXISTS (SELECT FROM nudge WHERE nudge.guardian_id = wanted.guardian_id AND nudge.local_day = here.day)
      AND NOT EXISTS (SELECT FROM message WHERE message.child_id = child.child_id
                      AND message.received_at >= here.silent_from)
    ORDER BY wanted.guardian_id, child.child_id
    LIMIT 1
""")

_FOLLOWED: Final = text("""
    SELECT EXISTS (SELECT FROM message WHERE child_id = :child_id AND direction = 'to_child'
                   AND received_at BETWEEN :from_at AND :to_at)
""")


async def want_nudges(work: UnitOfWork, guardian_id: uuid.UUID, *, wanted: bool) -> None:
    """Turn reminders on or off; the default is off. Repeating the call changes nothing."""
    if wanted:
        await work.run(insert(NudgeWanted).values(guardian_id=guardian_id, since_at=work.now).on_conflict_do_nothing())
        return
    row = await work.session.get(NudgeWanted, guardian_id)
    if row is not None:
        await work.session.delete(row)


async def nudge_is_wanted(work: UnitOfWork, guardian_id: uuid.UUID) -> bool:
    """Return whether the guardian has turned reminders on."""
    return await work.session.get(NudgeWanted, guardian_id) is not None


async def nudge_one(work: UnitOfWork) -> bool:
    """Remind one guardian whose child had a silent day; return whether there was one. Safe to run concurrently."""
    result = await work.run(
        _SILENT, {"now": work.now, "from_hour": FROM_HOUR, "to_hour": TO_HOUR, "part": Part.MESSAGES.value}
    )
    row = result.mappings().first()
    if row is None:
        return False
    guardian_id, child_id, family_id, day = row["guardian_id"], row["child_id"], row["family_id"], row["day"]
    made = await work.run(
        insert(Nudge)
        .values(nudge_id=new_id(), guardian_id=guardian_id, child_id=child_id, local_day=day, nudged_at=work.now)
        .on_conflict_do_nothing(index_elements=["guardian_id", "local_day"])
        .returning(col(Nudge.nudge_id))
    )
    if made.scalar_one_or_none() is not None:
        record_fact(work, "starter_nudged", child_id=child_id, family_id=family_id)
        await record_event(work, family_id, "starter.nudge", child_id=child_id, guardian_id=guardian_id)
    return True


async def judge_one_nudge(work: UnitOfWork) -> bool:
    """Record whether a message to the child followed one reminder within a day; return whether one was due."""
    result = await work.session.exec(
        select(Nudge, Child.family_id)
        .join(Child, col(Child.child_id) == col(Nudge.child_id))
        .where(col(Nudge.judged_at).is_(None), col(Nudge.nudged_at) <= work.now - FOLLOWS_WITHIN)
        .order_by(col(Nudge.nudged_at))
        .limit(1)
        .with_for_update(of=Nudge, key_share=True, skip_locked=True)
    )
    row = result.first()
    if row is None:
        return False
    nudge, family_id = row
    followed = await work.run(
        _FOLLOWED,
        {"child_id": nudge.child_id, "from_at": nudge.nudged_at, "to_at": nudge.nudged_at + FOLLOWS_WITHIN},
    )
    kind = STARTER_FOLLOWED if followed.scalar_one() else STARTER_NOT_FOLLOWED
    # The fact counts for the day of the reminder.
    record_fact(work, kind, child_id=nudge.child_id, family_id=family_id, happened_at=nudge.nudged_at)
    nudge.judged_at = work.now
    work.add(nudge)
    return True
