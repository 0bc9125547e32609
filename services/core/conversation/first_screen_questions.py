"""Read the alerts, help requests and invitations of the first screen by one statement; mostly there are none."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Final

from sqlmodel import SQLModel

from services.core.devices.alerts.queries import AlertsShown, alerts_shown_of
from services.core.devices.alerts.tables import Alert, AlertAnswer, AlertCall
from services.core.people.accounts.tables import Guardian
from services.core.people.households.tables import Family, HelpRequest, Invitation
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.prepared import columns_of, objects_of


@dataclass(frozen=True)
class Questions:
    """Recent alerts by child with the reactions to them, open requests for help, and standing invitations."""

    alerts: dict[uuid.UUID, AlertsShown] = field(default_factory=dict)
    calls: list[AlertCall] = field(default_factory=list)
    answers: list[AlertAnswer] = field(default_factory=list)
    help: list[HelpRequest] = field(default_factory=list)
    invitations: list[tuple[Invitation, Family]] = field(default_factory=list)


async def questions_shown(
    work: UnitOfWork, guardian: Guardian, *, kinds: Mapping[uuid.UUID, Collection[str]], after: datetime, limit: int,
    asking: Collection[uuid.UUID], is_invited: bool,
) -> Questions:  # fmt: skip
    """Return what the guardian is asked; nothing is read where there is nothing to ask. Does not authorise.

    ``kinds``: by child, of which kinds the guardian sees alerts raised later than ``after``; at most ``limit`` in each
    list. ``asking``: children with requests for help. ``is_invited``: whether invitations may stand.
    """
    if not kinds and not asking and not is_invited:
        return Questions()
    words = [" ".join(of_child) for of_child in kinds.values()]
    rows = await work.read(
        _statement(), list(kinds), words, guardian.guardian_id, after, limit, list(asking),
        guardian.phone if is_invited else None, work.now,
    )  # fmt: skip
    shown = Questions({child_id: AlertsShown() for child_id in kinds})
    for row in rows:
        alert, call, answer, help_asked, invitation, family = objects_of(work, tuple(row), *_ENTITIES)
        if alert is not None:
            of_child = shown.alerts[alert.child_id]
            (of_child.checks if row["is_check"] else of_child.unanswered).append(alert)
        if call is not None:
            shown.calls.append(call)
        if answer is not None:
            shown.answers.append(answer)
        if help_asked is not None:
            shown.help.append(help_asked)
        if invitation is not None:
            shown.invitations.append((invitation, family))
    return shown


_ENTITIES: Final[tuple[type[SQLModel], ...]] = (
    Alert, AlertCall, AlertAnswer, HelpRequest, Invitation, Family,
)  # fmt: skip


@cache
def _statement() -> str:
    """Return the statement: a row for each question and each reaction, with the columns of the others empty."""
    aliased = zip(_ENTITIES, ("a", "c", "r", "h", "i", "f"), strict=True)
    columns = columns_of(*((entity, alias) for entity, alias in aliased))
    return f"""
        WITH shown AS MATERIALIZED ({alerts_shown_of()})
        SELECT {columns}, a.is_check
        FROM (VALUES ('alert'), ('call'), ('answer'), ('help'), ('invitation')) part (kind)
        LEFT JOIN shown a ON part.kind = 'alert'
        LEFT JOIN alert_call c ON part.kind = 'call' AND c.alert_id IN (SELECT alert_id FROM shown)
        LEFT JOIN alert_answer r ON part.kind = 'answer' AND r.alert_id IN (SELECT alert_id FROM shown)
        LEFT JOIN help_request h ON part.kind = 'help' AND h.child_id = ANY($6::uuid[]) AND h.done_at IS NULL
        LEFT JOIN invitation i
            ON part.kind = 'invitation' AND i.phone = $7 AND i.ended_at IS NULL AND i.expires_at > $8
        LEFT JOIN family f ON f.family_id = i.family_id
        ORDER BY a.raised_at DESC, a.alert_id DESC, c.called_at, c.call_id, r.answered_at, r.answer_id,
                 h.asked_at, h.help_id, i.created_at DESC, i.invitation_id
    """  # noqa: S608 - names of our own columns
