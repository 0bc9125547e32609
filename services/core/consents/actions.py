"""Give consent and take it back. What follows from it (contacts, streams) is told by contacts.guardians."""

from __future__ import annotations

import uuid

from sqlmodel import col, select

from services.core.audit.actions import guardian_actor, record_audit
from services.core.consents.queries import standing_consent
from services.core.consents.rules import How, Part, check_text_is_current
from services.core.consents.tables import Consent
from services.core.db.database import UnitOfWork


async def record_consent(
    work: UnitOfWork,
    guardian_id: uuid.UUID,
    family_id: uuid.UUID,
    *,
    part: Part,
    text_version: str,
    locale: str,
    how: How,
) -> Consent:
    """Record that a guardian agreed to today's text of a part; a repeat returns what stands.

    The caller holds the guardian's membership row, so that two at once become one. Raises ConsentTextUnknownError.
    """
    check_text_is_current(part, text_version, locale)
    standing = await standing_consent(work, guardian_id, family_id, part)
    if standing is not None and standing.text_version == text_version:
        return standing
    if standing is not None:
        # Replaced by a newer text, not taken back: the new row begins where this one ends.
        standing.withdrawn_at = work.now
        work.add(standing)
        await work.flush()
    consent = Consent(
        guardian_id=guardian_id, family_id=family_id, part=part, text_version=text_version, locale=locale, how=how,
        given_at=work.now,
    )  # fmt: skip
    work.add(consent)
    await work.flush()
    record_audit(
        work, guardian_actor(guardian_id), f"consent.given.{part}", family_id=family_id, subject_id=consent.consent_id
    )
    return consent


async def end_consent(work: UnitOfWork, guardian_id: uuid.UUID, family_id: uuid.UUID, part: Part) -> bool:
    """Take a consent back from this moment on; False when none stood."""
    found = await work.session.exec(
        select(Consent)
        .where(
            Consent.guardian_id == guardian_id,
            Consent.family_id == family_id,
            Consent.part == part,
            col(Consent.withdrawn_at).is_(None),
        )
        .with_for_update(key_share=True)
    )
    consent = found.first()
    if consent is None:
        return False
    consent.withdrawn_at = work.now
    work.add(consent)
    record_audit(
        work, guardian_actor(guardian_id), f"consent.withdrawn.{part}", family_id=family_id,
        subject_id=consent.consent_id,
    )  # fmt: skip
    return True
