"""The children of a guardian with all that an app's first screen shows of them, read in one statement."""

from __future__ import annotations

import itertools
import operator
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg
import sqlalchemy
from sqlalchemy import BindParameter, ColumnElement, DateTime, ScalarSelect, Uuid, bindparam, func
from sqlmodel import SQLModel, col, exists

from services.core.conversation.audio_assets.tables import AudioAsset
from services.core.conversation.messages.queries import (
    MessageView,
    message_view,
    messages_shown,
    with_recipients,
)
from services.core.conversation.messages.retention import EndingRecordings, ends_soon, ends_soon_before
from services.core.conversation.messages.tables import Message, MessageRecipient
from services.core.conversation.messages.unread import is_unread
from services.core.devices.alerts.tables import Alert
from services.core.devices.contacts.tables import ContactList
from services.core.devices.contacts.watch_shown import WatchShown, watch_shown
from services.core.devices.watches.tables import Watch, WatchIdentity, WatchPresence, WatchSettings
from services.core.people.households.child_key import data_key
from services.core.people.households.tables import Child, HelpRequest
from services.core.people.programme.tables import Site
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.prepared import PreparedRead, any_of, objects_of


@dataclass(frozen=True)
class ChildShown:
    """A child as one guardian sees it. Counts and the newest message are of that guardian's conversation."""

    child: Child
    watch: WatchShown | None
    location_on: bool
    newest: MessageView | None
    unread: int
    unplayed: int
    ending: EndingRecordings
    # Whether there may be an alert to answer, a question about one, or a request for help that is open.
    has_alerts: bool
    asks_for_help: bool


async def children_shown(
    work: UnitOfWork, guardian_id: uuid.UUID, family_ids: Collection[uuid.UUID], *, alerts_after: datetime
) -> list[ChildShown]:
    """Return the children of these families, oldest entry first. Does not authorise: the caller checks the families.

    Alerts raised later than ``alerts_after`` count.
    """
    if not family_ids:
        return []
    family_id, *more = family_ids
    rows = await (_CHILDREN if more else _CHILDREN_OF_ONE).read(
        work,
        {
            "guardian_id": guardian_id, "family_id": family_id, "family_ids": [family_id, *more],
            "alerts_after": alerts_after,
            "ends_before": ends_soon_before(work),
        },
    )  # fmt: skip
    return [
        _child_shown(work, guardian_id, list(of_child))
        for _, of_child in itertools.groupby(rows, operator.itemgetter(0))
    ]


def _child_shown(work: UnitOfWork, guardian_id: uuid.UUID, rows: Sequence[asyncpg.Record]) -> ChildShown:
    """Return a child of the rows of its newest message."""
    row = rows[0]
    child, settings, lists, identity, watch, site, presence = objects_of(work, tuple(row), *_ENTITIES)
    newest = None
    if row["message_id"] is not None:
        of_message = [of[_BEFORE_MESSAGE:] for of in rows]
        newest = message_view(work, data_key(work, child), child.name, guardian_id, of_message)
    return ChildShown(
        child, None if identity is None else watch_shown(identity, watch, site, presence, lists, settings),
        settings.location, newest, row["unread"], row["unplayed"],
        EndingRecordings.of(work, row["ending"], row["first_ending_at"]), row["has_alerts"], row["asks_for_help"],
    )  # fmt: skip


_ENTITIES: Final = (Child, WatchSettings, ContactList, WatchIdentity, Watch, Site, WatchPresence)
_TABLES: Final = [SQLModel.metadata.tables[str(entity.__tablename__)] for entity in _ENTITIES]
# Counts and answers, then the message with its recipient.
_BEFORE_MESSAGE: Final = sum(len(table.columns) for table in _TABLES) + 6


def _of_messages(what: Any, *conditions: Any) -> ScalarSelect[Any]:  # noqa: ANN401 - counts and times
    return (
        sqlalchemy.select(what)
        .where(col(Message.child_id) == col(Child.child_id), *conditions)
        .correlate(Child)
        .scalar_subquery()
    )


def _children(of_families: ColumnElement[bool]) -> Any:  # noqa: ANN401 - the types know ten columns at most
    asking: BindParameter[uuid.UUID] = bindparam("guardian_id", type_=Uuid())
    ends_before: BindParameter[datetime] = bindparam("ends_before", type_=DateTime(timezone=True))
    alerts_after: BindParameter[datetime] = bindparam("alerts_after", type_=DateTime(timezone=True))
    received = (col(MessageRecipient.message_id) == col(Message.message_id), *is_unread(asking))
    heard = (col(AudioAsset.clip_id) == col(Message.clip_id), *ends_soon(asking, ends_before))
    newest = (
        messages_shown()
        .where(col(Message.child_id) == col(Child.child_id))
        .order_by(col(Message.seq).desc())
        .limit(1)
        .correlate(Child)
        .lateral("newest")
    )
    newest_columns, recipient = with_recipients(newest)
    alerts = exists().where(col(Alert.child_id) == col(Child.child_id), col(Alert.raised_at) > alerts_after)
    help_asked = exists().where(col(HelpRequest.child_id) == col(Child.child_id), col(HelpRequest.done_at).is_(None))
    identity = (col(WatchIdentity.child_id) == col(Child.child_id)) & col(WatchIdentity.ended_at).is_(None)
    return (
        sqlalchemy.select(
            *(column for table in _TABLES for column in table.columns),
            _of_messages(func.count(), *received).label("unread"),
            _of_messages(func.count(), *received, col(Message.kind) == "voice").label("unplayed"),
            _of_messages(func.count(), *heard).label("ending"),
            _of_messages(func.min(col(Message.received_at)), *heard).label("first_ending_at"),
            alerts.label("has_alerts"),
            help_asked.label("asks_for_help"),
            *newest_columns,
        )
        .select_from(Child)
        .join(WatchSettings, col(WatchSettings.child_id) == col(Child.child_id))
        .join(ContactList, col(ContactList.child_id) == col(Child.child_id))
        .outerjoin(WatchIdentity, identity)
        .outerjoin(Watch, col(Watch.watch_id) == col(WatchIdentity.watch_id))
        .outerjoin(Site, col(Site.site_id) == col(Watch.site_id))
        .outerjoin(WatchPresence, col(WatchPresence.username) == col(WatchIdentity.username))
        .outerjoin(newest, sqlalchemy.true())
        .outerjoin(recipient, sqlalchemy.true())
        .where(of_families, col(Child.erased_at).is_(None))
        .order_by(col(Child.created_at), col(Child.child_id))
    )


_CHILDREN: Final = PreparedRead(lambda: _children(col(Child.family_id) == any_of("family_ids", Uuid())))
# Most guardians have one family. Of an array the planner expects ten items, for which it reads whole tables.
_CHILDREN_OF_ONE: Final = PreparedRead(lambda: _children(col(Child.family_id) == bindparam("family_id", type_=Uuid())))
