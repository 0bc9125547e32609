"""Queries about consents."""

from __future__ import annotations

import uuid

from sqlmodel import col, select

from services.core.people.consents.rules import How, Part, consent_texts
from services.core.people.consents.tables import ChildAgreement, Consent
from services.core.platform.db.database import UnitOfWork
from services.core.platform.locales import LOCALES


async def has_consent(work: UnitOfWork, guardian_id: uuid.UUID, family_id: uuid.UUID, part: Part) -> bool:
    """Return whether this guardian's consent to a part stands in this family."""
    return await standing_consent(work, guardian_id, family_id, part) is not None


async def standing_consent(
    work: UnitOfWork, guardian_id: uuid.UUID, family_id: uuid.UUID, part: Part
) -> Consent | None:
    """Return the guardian's standing consent to a part, or None."""
    result = await work.session.exec(
        select(Consent).where(
            Consent.guardian_id == guardian_id,
            Consent.family_id == family_id,
            Consent.part == part,
            col(Consent.withdrawn_at).is_(None),
        )
    )
    return result.first()


def newer_text_version(consent: Consent) -> str | None:
    """Return the version of the current text if a standing consent was given to an older one, else None.

    The consent stands until its guardian answers.
    """
    current = consent_texts()[Part(consent.part), LOCALES[0]].text_version
    return current if consent.withdrawn_at is None and consent.text_version != current else None


async def paper_forms_of(work: UnitOfWork, guardian_id: uuid.UUID, family_id: uuid.UUID) -> set[str]:
    """Return the form numbers of a guardian's paper consents in this family, including withdrawn ones."""
    result = await work.session.exec(
        select(Consent.form_number).where(
            Consent.guardian_id == guardian_id,
            Consent.family_id == family_id,
            Consent.how == How.PAPER,
            col(Consent.form_number).is_not(None),
        )
    )
    return {row for row in result if row}


async def guardians_who_consented(work: UnitOfWork, family_id: uuid.UUID, part: Part) -> set[uuid.UUID]:
    """Return the guardians whose consent to a part stands in this family."""
    result = await work.session.exec(
        select(Consent.guardian_id).where(
            Consent.family_id == family_id, Consent.part == part, col(Consent.withdrawn_at).is_(None)
        )
    )
    return set(result)


async def consents_of(work: UnitOfWork, guardian_id: uuid.UUID) -> list[Consent]:
    """Return every consent that a guardian gave or withdrew, in every family, oldest first."""
    result = await work.session.exec(
        select(Consent)
        .where(Consent.guardian_id == guardian_id)
        # Of two consents at the same instant, the replaced one comes first.
        .order_by(
            col(Consent.given_at),
            col(Consent.withdrawn_at).asc().nulls_last(),
            col(Consent.part),
            col(Consent.consent_id),
        )
    )
    return list(result)


async def agreement_was_taken_back(work: UnitOfWork, child_id: uuid.UUID) -> bool:
    """Return whether the child agreed before and has withdrawn; False for a child that was never asked."""
    result = await work.session.exec(select(ChildAgreement.withdrawn_at).where(ChildAgreement.child_id == child_id))
    ends = result.all()
    return bool(ends) and None not in ends


async def latest_word(work: UnitOfWork, child_id: uuid.UUID) -> ChildAgreement | None:
    """Return the child's latest word, an agreement or a refusal, or None for a child that was never asked."""
    result = await work.session.exec(
        select(ChildAgreement)
        .where(ChildAgreement.child_id == child_id)
        .order_by(col(ChildAgreement.given_at).desc(), col(ChildAgreement.agreed))
        .limit(1)
    )
    return result.first()


async def standing_agreement(work: UnitOfWork, child_id: uuid.UUID) -> ChildAgreement | None:
    """Return the child's own standing agreement, or None."""
    result = await work.session.exec(
        select(ChildAgreement).where(ChildAgreement.child_id == child_id, col(ChildAgreement.withdrawn_at).is_(None))
    )
    return result.first()
