"""Record and end consents; devices.contacts carries out the consequences for contacts and streams."""

from __future__ import annotations

import uuid

from sqlmodel import col, select

from services.core.people.consents.queries import latest_word, standing_agreement, standing_consent
from services.core.people.consents.rules import Part, Proof, check_child_text, check_proof, check_text_is_current
from services.core.people.consents.tables import ChildAgreement, Consent
from services.core.platform.audit.actions import guardian_actor, record_audit
from services.core.platform.db.database import UnitOfWork


async def record_consent(
    work: UnitOfWork,
    guardian_id: uuid.UUID,
    family_id: uuid.UUID,
    *,
    part: Part,
    text_version: str,
    locale: str,
    proof: Proof,
    notice_version: str | None,
) -> Consent:
    """Record a guardian's consent to the current text of a part; repeating the call returns the standing consent.

    ``notice_version`` is that of the privacy notice in force (privacy_notices.queries.version_to_record). The caller
    locks the guardian's membership row, which serialises concurrent calls. Raises ConsentTextUnknownError,
    ConsentProofError, TextNotAllowedError.
    """
    check_text_is_current(part, text_version, locale)
    proven = check_proof(proof)
    standing = await standing_consent(work, guardian_id, family_id, part)
    if standing is not None and standing.text_version == text_version:
        return standing
    if standing is not None:
        # Replaced by a newer text, not withdrawn: the new row starts where this one ends.
        standing.withdrawn_at = work.now
        work.add(standing)
        await work.flush()
    consent = Consent(
        guardian_id=guardian_id, family_id=family_id, part=part, text_version=text_version, locale=locale,
        how=proven.how.value, witness=proven.witness or None, form_number=proven.form_number or None,
        notice_version=notice_version, given_at=work.now,
    )  # fmt: skip
    work.add(consent)
    await work.flush()
    record_audit(
        work, guardian_actor(guardian_id), f"consent.given.{part}", family_id=family_id, subject_id=consent.consent_id
    )
    return consent


async def end_consent(work: UnitOfWork, guardian_id: uuid.UUID, family_id: uuid.UUID, part: Part) -> bool:
    """Withdraw a consent from now on; return False if none stood."""
    result = await work.session.exec(
        select(Consent)
        .where(
            Consent.guardian_id == guardian_id,
            Consent.family_id == family_id,
            Consent.part == part,
            col(Consent.withdrawn_at).is_(None),
        )
        .with_for_update(key_share=True)
    )
    consent = result.first()
    if consent is None:
        return False
    consent.withdrawn_at = work.now
    work.add(consent)
    record_audit(
        work, guardian_actor(guardian_id), f"consent.withdrawn.{part}", family_id=family_id,
        subject_id=consent.consent_id,
    )  # fmt: skip
    return True


async def record_agreement(
    work: UnitOfWork,
    child_id: uuid.UUID,
    family_id: uuid.UUID,
    recorded_by: uuid.UUID,
    proof: Proof,
    text_version: str | None = None,
) -> ChildAgreement:
    """Record the child's own agreement; repeating the call returns the standing one. The caller locks the child's row.

    Raises ConsentProofError, ConsentTextUnknownError, TextNotAllowedError.
    """
    proven, shown = check_proof(proof), check_child_text(text_version)
    standing = await standing_agreement(work, child_id)
    if standing is not None:
        return standing
    agreement = ChildAgreement(
        child_id=child_id, family_id=family_id, recorded_by=recorded_by, how=proven.how.value,
        witness=proven.witness or None, form_number=proven.form_number or None, given_at=work.now,
        text_version=shown,
    )  # fmt: skip
    work.add(agreement)
    await work.flush()
    record_audit(work, guardian_actor(recorded_by), "child.agreed", family_id=family_id, subject_id=child_id)
    return agreement


async def record_refusal(
    work: UnitOfWork,
    child_id: uuid.UUID,
    family_id: uuid.UUID,
    recorded_by: uuid.UUID,
    proof: Proof,
    text_version: str | None,
) -> ChildAgreement:
    """Record that the child says no: a standing agreement ends. The caller locks the child's row.

    A repeat returns the refusal that stands. Raises ConsentProofError, ConsentTextUnknownError, TextNotAllowedError.
    """
    proven, shown = check_proof(proof), check_child_text(text_version)
    await end_agreement(work, child_id, family_id, recorded_by)
    await work.flush()
    latest = await latest_word(work, child_id)
    if latest is not None and not latest.agreed:
        return latest
    refusal = ChildAgreement(
        child_id=child_id, family_id=family_id, agreed=False, recorded_by=recorded_by, how=proven.how.value,
        witness=proven.witness or None, form_number=proven.form_number or None, text_version=shown,
        given_at=work.now, withdrawn_at=work.now,
    )  # fmt: skip
    work.add(refusal)
    await work.flush()
    record_audit(work, guardian_actor(recorded_by), "child.refused", family_id=family_id, subject_id=child_id)
    return refusal


async def end_agreement(work: UnitOfWork, child_id: uuid.UUID, family_id: uuid.UUID, by: uuid.UUID) -> bool:
    """Record that the child withdrew its agreement; return False if none stood. The caller locks the child's row."""
    agreement = await standing_agreement(work, child_id)
    if agreement is None:
        return False
    agreement.withdrawn_at = work.now
    work.add(agreement)
    record_audit(work, guardian_actor(by), "child.agreement_withdrawn", family_id=family_id, subject_id=child_id)
    return True
