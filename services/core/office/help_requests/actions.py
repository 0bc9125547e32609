"""Help requests: the office receives a family code and a kind of help, the guardian a children's helpline number.

Advice is stored as a stable kind with a text in each language. The helplines are public numbers by country, with
sources.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from services.core.people.households.errors import NotFoundError
from services.core.people.households.queries import site_of_family
from services.core.people.households.rules import check_help_kind
from services.core.people.households.tables import Child, Enrolment, Family, HelpRequest
from services.core.platform.audit.actions import Actor, guardian_actor, record_audit
from services.core.platform.db.columns import new_id
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.locales import fitting_locale

_DEFAULT_COUNTRY: Final = "default"


@dataclass(frozen=True)
class Helpline:
    """A public helpline number, free of charge in its country."""

    number: str
    name: str


@dataclass(frozen=True)
class OpenHelp:
    """A help request that the office has not closed yet."""

    help_id: uuid.UUID
    family_code: str
    request: HelpRequest


@cache
def _page(name: str) -> dict[str, dict[str, str]]:
    page: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return page


def helpline_of(country: str | None) -> Helpline:
    """Return the children's helpline of a country (ISO 3166-1), or the number shared by several countries."""
    page = _page("helplines.json")
    entry = page.get(country or _DEFAULT_COUNTRY, page[_DEFAULT_COUNTRY])
    return Helpline(entry["number"], entry["name"])


def help_text(kind: str, locale: str) -> str:
    """Return the advice for a kind of help in a supported language."""
    return _page("help_texts.json")[fitting_locale(locale)][kind]


async def ask_for_help(work: UnitOfWork, child: Child, guardian_id: uuid.UUID, kind: str) -> HelpRequest:
    """Request help from the office; while a request of this kind is open, repeating the call returns it.

    Raises HelpKindUnknownError.
    """
    checked = check_help_kind(kind)
    made = await work.run(
        insert(HelpRequest)
        .values(help_id=new_id(), family_id=child.family_id, child_id=child.child_id, kind=checked, asked_at=work.now)
        .on_conflict_do_nothing()
        .returning(col(HelpRequest.help_id))
    )
    is_new = made.scalar_one_or_none() is not None
    result = await work.session.exec(
        select(HelpRequest).where(
            col(HelpRequest.child_id) == child.child_id,
            col(HelpRequest.kind) == checked,
            col(HelpRequest.done_at).is_(None),
        )
    )
    request = result.one()
    if is_new:
        record_audit(
            work, guardian_actor(guardian_id), "help.asked", family_id=child.family_id, subject_id=request.help_id
        )
        await record_event(work, child.family_id, "help.asked", child_id=child.child_id, ref_id=request.help_id)
    return request


async def open_help_of(work: UnitOfWork, child_ids: Collection[uuid.UUID]) -> list[HelpRequest]:
    """Return the help requests of these children that the office has not closed yet, oldest first."""
    if not child_ids:
        return []
    result = await work.session.exec(
        select(HelpRequest)
        .where(col(HelpRequest.child_id).in_(child_ids), col(HelpRequest.done_at).is_(None))
        .order_by(col(HelpRequest.asked_at), col(HelpRequest.help_id))
    )
    return list(result)


async def open_help_at(
    work: UnitOfWork, site_id: uuid.UUID, *, most: int, after: uuid.UUID | None = None, kind: str | None = None
) -> list[OpenHelp]:
    """Return the open help requests of a site's families, oldest first: at most ``most``, after the one ``after``.

    An ``after`` that was closed meanwhile still marks the position.
    """
    statement = (
        select(HelpRequest, Family.family_code)
        .join(Family, col(Family.family_id) == col(HelpRequest.family_id))
        .join(Enrolment, col(Enrolment.family_id) == col(HelpRequest.family_id))
        .where(col(Enrolment.site_id) == site_id, col(Enrolment.ended_at).is_(None), col(HelpRequest.done_at).is_(None))
        .order_by(col(HelpRequest.asked_at), col(HelpRequest.help_id))
        .limit(most)
    )
    if kind is not None:
        statement = statement.where(col(HelpRequest.kind) == kind)
    if after is not None:
        before = select(HelpRequest.asked_at).join(Enrolment, col(Enrolment.family_id) == col(HelpRequest.family_id))
        before = before.where(col(HelpRequest.help_id) == after, col(Enrolment.site_id) == site_id)
        # An ``after`` of another site behaves like an unknown one: the page is empty.
        place = tuple_(before.limit(1).scalar_subquery(), after)
        statement = statement.where(tuple_(col(HelpRequest.asked_at), col(HelpRequest.help_id)) > place)
    result = await work.session.exec(statement)
    return [OpenHelp(request.help_id, code, request) for request, code in result]


async def close_help(work: UnitOfWork, actor: Actor, site_id: uuid.UUID, help_id: uuid.UUID) -> None:
    """Close a help request of a family of this site; repeating the call changes nothing. Raises NotFoundError."""
    result = await work.session.exec(
        select(HelpRequest)
        .join(Enrolment, col(Enrolment.family_id) == col(HelpRequest.family_id))
        .where(
            col(HelpRequest.help_id) == help_id, col(Enrolment.site_id) == site_id, col(Enrolment.ended_at).is_(None)
        )
        .with_for_update(of=HelpRequest, key_share=True)
    )
    request = result.first()
    if request is None:
        raise NotFoundError
    if request.done_at is not None:
        return
    request.done_at = work.now
    work.add(request)
    record_audit(work, actor, "help.closed", family_id=request.family_id, subject_id=help_id)
    await record_event(work, request.family_id, "help.closed", child_id=request.child_id, ref_id=help_id)


async def country_of_family(work: UnitOfWork, family_id: uuid.UUID) -> str | None:
    """Return the country (ISO 3166-1) of the family's current site, or None after the family has left."""
    site = await site_of_family(work, family_id)
    return site.country if site is not None else None
