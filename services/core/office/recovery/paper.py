"""The paper that two of staff hold in their hands when a family's account changes, and what is on record of it."""

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
    """What proves who a family is."""

    ENROLMENT_FORM = "enrolment_form"
    IDENTITY_CARD = "identity_card"
    PASSPORT = "passport"
    HOUSEHOLD_BOOK = "household_book"


@dataclass(frozen=True)
class Paper:
    """What one of staff says they hold: its number, and what it is where they were asked for that."""

    number: str
    document: Document | None = None


def check_paper(recorded: Collection[str], paper: Paper) -> tuple[Document, str]:
    """Return which document was seen, and its number as it is compared.

    Where the family's form is on record nothing else proves anything. Where none is, whoever asks has to say which
    document they saw. Raises TextNotAllowedError, RecoveryPaperError, RecoveryDocumentNeededError. Pure.
    """
    number = plain(check_text("form_number", paper.number, _NUMBER))
    if not recorded:
        if paper.document is None:
            raise RecoveryDocumentNeededError
        return paper.document, number
    if paper.document not in {None, Document.ENROLMENT_FORM} or number not in {plain(one) for one in recorded}:
        raise RecoveryPaperError
    return Document.ENROLMENT_FORM, number


def plain(number: str) -> str:
    """Return a number as two people write it alike: without spaces, without capitals."""
    return "".join(number.split()).casefold()


async def recorded_forms(work: UnitOfWork, family_id: uuid.UUID, guardian_id: uuid.UUID) -> set[str]:
    """Return the numbers of the forms that are on record: of the family's enrolment, of what the guardian signed."""
    result = await work.session.exec(
        select(Enrolment.form_number).where(
            Enrolment.family_id == family_id, col(Enrolment.ended_at).is_(None), col(Enrolment.form_number).is_not(None)
        )
    )
    return {row for row in result if row} | await paper_forms_of(work, guardian_id, family_id)
