"""The paper evidence that two staff members check before a family's account changes, and the numbers on record."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlmodel import col, select

from services.core.people.consents.queries import paper_forms_of
from services.core.people.households.errors import RecoveryDocumentNeededError, RecoveryPaperError
from services.core.people.households.tables import Enrolment
from services.core.platform.db.database import UnitOfWork
from services.core.platform.text_rules import TextRule, check_text

_NUMBER: Final = TextRule(max_characters=40, max_bytes=120, is_name=True)


class Document(StrEnum):
    """The kinds of document that prove a family's identity."""

    ENROLMENT_FORM = "enrolment_form"
    IDENTITY_CARD = "identity_card"
    PASSPORT = "passport"
    HOUSEHOLD_BOOK = "household_book"


@dataclass(frozen=True)
class Paper:
    """The document that a staff member reports: its number, and its kind where the kind is required."""

    number: str
    document: Document | None = None


def check_paper(recorded: Collection[str], paper: Paper) -> tuple[Document, str]:
    """Return the kind of document that was seen, and its number in the form used for comparison.

    If a form of the family is on record, only that form is accepted. Otherwise the requester must name the kind of
    document. Raises TextNotAllowedError, RecoveryPaperError, RecoveryDocumentNeededError. Pure.
    """
    number = plain(check_text("form_number", paper.number, _NUMBER))
    if not recorded:
        if paper.document is None:
            raise RecoveryDocumentNeededError
        return paper.document, number
    if paper.document not in {None, Document.ENROLMENT_FORM} or number not in {plain(number) for number in recorded}:
        raise RecoveryPaperError
    return Document.ENROLMENT_FORM, number


def plain(number: str) -> str:
    """Return a document number without spaces and in lower case, for comparison."""
    return "".join(number.split()).casefold()


async def recorded_forms(work: UnitOfWork, family_id: uuid.UUID, guardian_id: uuid.UUID) -> set[str]:
    """Return the form numbers on record: of the family's enrolment and of the guardian's signed consents."""
    result = await work.session.exec(
        select(Enrolment.form_number).where(
            Enrolment.family_id == family_id, col(Enrolment.ended_at).is_(None), col(Enrolment.form_number).is_not(None)
        )
    )
    return {row for row in result if row} | await paper_forms_of(work, guardian_id, family_id)
