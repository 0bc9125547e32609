"""Read alerts: pages for guardians, calls and answers, and what the watch that raised them is told."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Final

from sqlalchemy import tuple_
from sqlmodel import col, select

from services.core.devices.alerts.round_rules import LATE_AFTER, CallState
from services.core.devices.alerts.rules import SEEN_NOTICE_PERIOD
from services.core.devices.alerts.tables import Alert, AlertAnswer, AlertCall
from services.core.devices.watches.tables import WatchIdentity
from services.core.people.households.errors import NotFoundError
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.prepared import columns_of

PAGE_MAX_ALERTS = 100


async def alerts_of(
    work: UnitOfWork, child_id: uuid.UUID, kinds: Collection[str], *, after: uuid.UUID | None, limit: int
) -> list[Alert]:
    """Return at most ``limit`` of the child's alerts of these kinds, the newest first, following the alert ``after``.

    Raises NotFoundError when ``after`` is not an alert of the child of these kinds.
    """
    statement = select(Alert).where(col(Alert.child_id) == child_id, col(Alert.kind).in_(kinds))
    if after is not None:
        last = await alert_by_id(work, child_id, after, kinds)
        statement = statement.where(
            tuple_(col(Alert.raised_at), col(Alert.alert_id)) < tuple_(last.raised_at, last.alert_id)
        )
    result = await work.session.exec(
        statement.order_by(col(Alert.raised_at).desc(), col(Alert.alert_id).desc()).limit(limit)
    )
    return list(result)


@dataclass
class AlertsShown:
    """A child's recent alerts that a guardian is asked about, newest first.

    ``unanswered``: nobody has acknowledged them. ``checks``: this guardian takes care and is asked whether the child is
    all right; where whoever took care is no guardian of the family any more, all guardians are asked.
    """

    unanswered: list[Alert] = field(default_factory=list)
    checks: list[Alert] = field(default_factory=list)


@cache
def alerts_shown_of() -> str:
    """Return SQL for the alerts that a guardian is asked about, those of `AlertsShown`, with ``is_check``.

    Parameters: children and by child the kinds of alerts of which the guardian sees unanswered ones, as words; the
    guardian; since when; how many at most in each list of a child.
    """
    return f"""
        SELECT {columns_of((Alert, "a"))}, a.is_check
        FROM unnest($1::uuid[], $2::text[]) AS given(child_id, kinds) CROSS JOIN LATERAL (
            (SELECT own.*, false AS is_check FROM alert own
             WHERE own.child_id = given.child_id AND own.raised_at > $4 AND own.acknowledged_at IS NULL
               AND own.kind = ANY(string_to_array(given.kinds, ' '))
             ORDER BY own.raised_at DESC, own.alert_id DESC LIMIT $5)
            UNION ALL
            (SELECT own.*, true FROM alert own
             WHERE own.child_id = given.child_id AND own.raised_at > $4
               AND own.check_asked_at IS NOT NULL AND own.all_right_at IS NULL
               AND (own.acknowledged_by = $3 OR own.acknowledged_by IS NULL OR NOT EXISTS (
                   SELECT FROM membership m
                   WHERE m.family_id = own.family_id AND m.guardian_id = own.acknowledged_by))
             ORDER BY own.raised_at DESC, own.alert_id DESC LIMIT $5)
        ) a
    """  # noqa: S608 - names of our own columns


async def alert_by_id(work: UnitOfWork, child_id: uuid.UUID, alert_id: uuid.UUID, kinds: Collection[str]) -> Alert:
    """Return an alert of the child of one of these kinds. Raises NotFoundError."""
    alert = await work.session.get(Alert, alert_id)
    if alert is None or alert.child_id != child_id or alert.kind not in kinds:
        raise NotFoundError
    return alert


_REACTIONS: Final = """
    SELECT call_id AS id, alert_id, guardian_id, called_at AS at, round_no, contact_id, NULL AS answer,
           NULL::timestamptz AS tapped_at
    FROM alert_call WHERE alert_id = ANY($1::uuid[])
    UNION ALL
    SELECT answer_id, alert_id, guardian_id, answered_at, NULL, NULL, answer, tapped_at
    FROM alert_answer WHERE alert_id = ANY($1::uuid[])
    ORDER BY at, id
"""


async def reactions_to(
    work: UnitOfWork, alert_ids: Collection[uuid.UUID]
) -> tuple[list[AlertCall], list[AlertAnswer]]:  # fmt: skip
    """Return the text messages sent about these alerts, and the answers of guardians to them, each oldest first."""
    calls: list[AlertCall] = []
    answers: list[AlertAnswer] = []
    for id_, alert_id, guardian_id, at, round_no, contact_id, answer, tapped_at in await work.read(
        _REACTIONS, list(alert_ids)
    ):
        if answer is None:
            calls.append(
                AlertCall(
                    call_id=id_, alert_id=alert_id, round_no=round_no, guardian_id=guardian_id, contact_id=contact_id,
                    called_at=at,
                )
            )  # fmt: skip
        else:
            answers.append(
                AlertAnswer(
                    answer_id=id_, alert_id=alert_id, guardian_id=guardian_id, answer=answer, tapped_at=tapped_at,
                    answered_at=at,
                )
            )  # fmt: skip
    return calls, answers


@dataclass(frozen=True)
class CallNotice:
    """The state of the alert ``ref`` (the id as the watch sent it), and who saw it when."""

    ref: str
    # A round_rules.CallState; None for a watch that knows acknowledgements only.
    state: str | None
    seen_by: str | None
    at: datetime


# $1: the user name, $2: when its connection began, $3: now, $4: since when a state or an answer counts, $5: whether the
# watch knows states, $6: how late an answer may have come, $7: how many at most.
_CLAIM_NOTICES: Final = """
UPDATE alert SET seen_told_at = $3::timestamptz WHERE alert_id = ANY(ARRAY(
 SELECT alert_id FROM alert
 WHERE username = $1 AND ref IS NOT NULL AND (seen_told_at IS NULL OR seen_told_at < $2)
  AND CASE WHEN $5 THEN state IS NOT NULL AND state_at > $4
   ELSE seen_by IS NOT NULL AND acknowledged_at > $4 AND (seen_at IS NULL OR acknowledged_at - seen_at <= $6) END
 ORDER BY raised_at LIMIT $7 FOR NO KEY UPDATE))
RETURNING raised_at, coalesce(sent_ref, ref), state, seen_by, coalesce(seen_at, acknowledged_at), state_at
"""


async def claim_call_notices(
    work: UnitOfWork, identity: WatchIdentity, *, knows_states: bool, limit: int = 20
) -> list[CallNotice]:
    """Return what to send to the watch about its alerts, oldest first, and record that it was sent.

    Each state is sent once per connection, for SEEN_NOTICE_PERIOD. A watch that does not know states is sent who
    acknowledged, unless that is old news, which it would show as new.
    """
    # A notice sent before the latest hello went to an earlier connection, which may have lost it.
    hello_at = identity.last_hello_at or identity.issued_at
    claimed = await work.fetch(
        _CLAIM_NOTICES, identity.username, hello_at, work.now, work.now - SEEN_NOTICE_PERIOD, knows_states, LATE_AFTER,
        limit,
    )  # fmt: skip
    notices = []
    for _, ref, state, seen_by, seen_at, state_at in sorted(claimed, key=lambda row: row[0]):
        shown = state if knows_states else None
        at = seen_at if shown in {None, CallState.SEEN} else state_at
        if at is not None:
            notices.append(CallNotice(ref, shown, seen_by, at))
    return notices
