"""Sections about the family and the programme: invitations, contests, enrolment, notices, help, what staff did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, case, or_, select
from sqlmodel import SQLModel

from services.core.people.consents.tables import ChildAgreement
from services.core.people.households.tables import (
    BreakGlass,
    Enrolment,
    FamilyEnding,
    HelpRequest,
    Invitation,
    LogInSlip,
    Notice,
    TrainingAttended,
)
from services.core.people.programme.tables import Cohort, Programme, Site
from services.core.privacy.copies.records.sections import Reader, Section, rows_of, table_of
from services.core.privacy.tables import Contest

_INVITATION, _ENROLMENT, _NOTICE = table_of(Invitation), table_of(Enrolment), table_of(Notice)
_BREAK_GLASS, _TRAINING = table_of(BreakGlass), table_of(TrainingAttended)
_PROGRAMME, _SITE, _COHORT = table_of(Programme), table_of(Site), table_of(Cohort)

_OF_INVITATION: Final = (
    "phone", "display_name", "relation", "may_message", "may_locate", "may_manage", "invited_by", "created_at",
    "expires_at", "ended_at", "end_reason",
)  # fmt: skip
_OF_ENROLMENT: Final = (
    "programme", "site", "cohort", "guardian_phone", "form_number", "enrolled_at", "ended_at", "end_reason",
)  # fmt: skip
_OF_NOTICE: Final = ("kind", "text", "created_at")
_OF_TRAINING: Final = ("training", "attended_on", "noted_at")
_OF_BREAK_GLASS: Final = ("reason", "asked_at", "opened_at", "closes_at", "told_at")


def _common(
    model: type[SQLModel], name: str, about: str, columns: tuple[str, ...], order: str, *, of_primary: bool = False
) -> Section:
    """Return a section of the rows that carry the family's id."""
    table = table_of(model)

    def rows(reader: Reader) -> Select[Any]:
        return rows_of(table, columns, order).where(table.c.family_id == reader.family_id)

    return Section(name, about, frozenset({table.name}), columns, rows, of_primary)


def _only_if(condition: ColumnElement[bool], column: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((condition, column)).label(column.key)


def _invitations(reader: Reader) -> Select[Any]:
    table = _INVITATION
    # A guardian may have hidden its number since it accepted.
    may_read_phone = or_(table.c.ended_at.is_(None), table.c.phone == reader.phone)
    columns = [_only_if(may_read_phone, table.c.phone), *(table.c[name] for name in _OF_INVITATION[1:])]
    statement = select(*columns).where(table.c.family_id == reader.family_id).order_by(table.c.created_at)
    if reader.is_primary or reader.may_manage:
        return statement
    return statement.where(or_(table.c.invited_by == reader.guardian_id, table.c.phone == reader.phone))


def _enrolments(reader: Reader) -> Select[Any]:
    table = _ENROLMENT
    # The form bears the signature of the guardian with this number.
    is_own = table.c.guardian_phone == reader.phone
    return (
        select(
            _PROGRAMME.c.name.label("programme"), _SITE.c.name.label("site"), _COHORT.c.name.label("cohort"),
            _only_if(is_own, table.c.guardian_phone), _only_if(is_own, table.c.form_number),
            table.c.enrolled_at, table.c.ended_at, table.c.end_reason,
        )
        .join(_SITE, _SITE.c.site_id == table.c.site_id)
        .join(_PROGRAMME, _PROGRAMME.c.programme_id == _SITE.c.programme_id)
        .join(_COHORT, _COHORT.c.cohort_id == table.c.cohort_id)
        .where(table.c.family_id == reader.family_id)
        .order_by(table.c.enrolled_at)
    )  # fmt: skip


def _trainings(reader: Reader) -> Select[Any]:
    return (
        rows_of(_TRAINING, _OF_TRAINING, "noted_at")
        .join(_ENROLMENT, _ENROLMENT.c.enrolment_id == _TRAINING.c.enrolment_id)
        .where(_ENROLMENT.c.family_id == reader.family_id)
    )


def _notices(reader: Reader) -> Select[Any]:
    """Select the notices that the app showed: to the family, and to its cohort while it was enrolled there."""
    to_cohort = (
        select(_ENROLMENT.c.enrolment_id)
        .where(
            _ENROLMENT.c.family_id == reader.family_id,
            _ENROLMENT.c.cohort_id == _NOTICE.c.cohort_id,
            _ENROLMENT.c.enrolled_at <= _NOTICE.c.created_at,
            or_(_ENROLMENT.c.ended_at.is_(None), _ENROLMENT.c.ended_at >= _NOTICE.c.created_at),
        )
        .exists()
    )
    return rows_of(_NOTICE, _OF_NOTICE, "created_at").where(or_(_NOTICE.c.family_id == reader.family_id, to_cohort))


def _told_accesses(reader: Reader) -> Select[Any]:
    """Select accesses that the guardian has been told of: a delayed notice protects the child until then."""
    return rows_of(_BREAK_GLASS, _OF_BREAK_GLASS, "asked_at").where(
        and_(_BREAK_GLASS.c.family_id == reader.family_id, _BREAK_GLASS.c.told_at.is_not(None))
    )


def _special(
    name: str, about: str, table: str, columns: tuple[str, ...], rows: Callable[[Reader], Select[Any]],
    *, of_primary: bool = False,
) -> Section:  # fmt: skip
    return Section(name, about, frozenset({table}), columns, rows, of_primary)


OFFICE: Final = (
    _special(
        "invitations", "invitations to the family; the number of one that has ended is left out",
        "invitation", _OF_INVITATION, _invitations,
    ),
    _common(
        Contest, "contests", "rights of guardians that were contested",
        ("raised_by", "about_id", "right", "state", "raised_at", "ended_at"), "raised_at",
    ),
    _common(
        ChildAgreement, "child_agreements", "what a child said to a part, as a guardian recorded it",
        ("child_id", "agreed", "text_version", "recorded_by", "how", "witness", "form_number", "given_at",
         "withdrawn_at"),
        "given_at",
    ),
    _special(
        "enrolments", "participation in the programme; number and form only where they are this guardian's",
        "enrolment", _OF_ENROLMENT, _enrolments,
    ),
    _special("trainings", "trainings that were attended", "training_attended", _OF_TRAINING, _trainings),
    _special("notices", "notices of the programme office", "notice", _OF_NOTICE, _notices),
    _common(
        HelpRequest, "help_requests", "requests for help to the programme office",
        ("child_id", "kind", "asked_at", "done_at"), "asked_at",
    ),
    _common(
        FamilyEnding, "ending", "when the family was told that the programme ends", ("told_at", "reminded_days"),
        "told_at",
    ),
    _common(
        LogInSlip, "log_in_slips", "printed codes for a first log-in; the code itself is not stored",
        ("printed_at", "used_at"), "printed_at", of_primary=True,
    ),
    _special(
        "accesses_by_staff", "when staff saw this guardian's name and number, and why",
        "break_glass", _OF_BREAK_GLASS, _told_accesses, of_primary=True,
    ),
)  # fmt: skip
