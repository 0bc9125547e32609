"""The caller: account, consents and invitations."""

import uuid
from collections.abc import Sequence
from typing import Annotated

from fastapi import Query

from services.api.access import OPEN
from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.family.access import BeforeConsent, IsLoggedIn
from services.api.family.notices import notice_response
from services.api.family.schemas import families as schemas
from services.api.problems import problem_responses
from services.core.devices.contacts.guardians import accept_invitation, give_consent, rename_guardian, withdraw_consent
from services.core.people.accounts.tables import Guardian
from services.core.people.consents.queries import consents_of, newer_text_version
from services.core.people.consents.rules import How, Part, Proof, child_texts, consent_texts
from services.core.people.consents.tables import Consent as ConsentRow
from services.core.people.households.errors import NotFoundError
from services.core.people.households.first_screen import FamiliesShown, families_shown
from services.core.people.households.invitations import decline_invitation, site_of_invitation
from services.core.people.households.queries import invitations_for, latest_site_of_family
from services.core.people.households.tables import Family, Invitation
from services.core.people.programme.tables import Site
from services.core.platform.db.database import UnitOfWork
from services.core.platform.locales import fitting_locale

router = Routes(prefix="/v1", tags=["me"])

SpokenLocale = Annotated[str, Query(min_length=2, max_length=35, pattern=r"^[A-Za-z0-9-]+$")]


@router.get("/me", responses=problem_responses(401))
async def read_me(work: Work, caller: IsLoggedIn) -> schemas.MeResponse:
    """Return the caller's account with families, rights, consents and invitations."""
    return await me_response(work, caller.guardian)


@router.patch("/me", responses=problem_responses(401, 403, 422))
async def change_me(work: Work, caller: IsLoggedIn, body: schemas.ChangeMeRequest) -> schemas.MeResponse:
    """Change the caller's name or language; omitted fields stay unchanged. 403 for a name before any consent."""
    guardian = await rename_guardian(work, caller.guardian, display_name=body.display_name, locale=body.locale)
    return await me_response(work, guardian)


@router.get("/consent-texts", dependencies=[OPEN], responses=problem_responses(422))
async def read_texts(
    locale: SpokenLocale = "en",
) -> schemas.ConsentTextsResponse:
    """Return the current consent texts in the best matching language. No token is needed."""
    spoken = fitting_locale(locale)
    texts = [consent_texts()[part, spoken] for part in Part]
    for_children = child_texts()[spoken]
    return schemas.ConsentTextsResponse(
        for_children=schemas.TextForChildren(
            text_version=for_children.text_version, locale=for_children.locale, text=for_children.text
        ),
        texts=[
            schemas.ConsentText(
                part=text.part.value, text_version=text.text_version, locale=text.locale, text=text.text
            )
            for text in texts
        ],
    )


@router.get("/families/{family_id}/privacy-notice", responses=problem_responses(401, 404, 409, 422))
async def read_notice(work: Work, scope: BeforeConsent, locale: SpokenLocale = "en") -> schemas.PrivacyNoticeResponse:
    """Return who is responsible at the family's site, in the best matching language; shown before the first consent.

    409 in production while the site has not stated it.
    """
    return await _notice(work, await latest_site_of_family(work, scope.family_id), locale)


@router.get("/invitations/{invitation_id}/privacy-notice", responses=problem_responses(401, 404, 409, 422))
async def read_notice_of_invitation(
    work: Work, caller: IsLoggedIn, invitation_id: uuid.UUID, locale: SpokenLocale = "en"
) -> schemas.PrivacyNoticeResponse:
    """Return the notice of the family that invited the caller's phone; shown before the invitation is accepted."""
    return await _notice(work, await site_of_invitation(work, caller.guardian, invitation_id), locale)


@router.get("/families/{family_id}/consents", responses=problem_responses(401, 403, 404, 422))
async def list_consents(work: Work, scope: BeforeConsent) -> schemas.ConsentsResponse:
    """Return the caller's consents in this family, including withdrawn ones."""
    return schemas.ConsentsResponse(consents=await _consents(work, scope.caller.guardian_id, scope.family_id))


@router.post("/families/{family_id}/consents", status_code=201, responses=problem_responses(401, 404, 409, 422))
async def consent(work: Work, scope: BeforeConsent, body: schemas.GiveConsentRequest) -> schemas.ConsentResponse:
    """Give consent to the current text of a part.

    An existing consent is returned unchanged. 409 for an outdated or unknown version of the text or the notice, and in
    production while the site has not stated who is responsible.
    """
    row = await give_consent(
        work, scope.membership, part=Part(body.part), text_version=body.text_version, locale=body.locale,
        proof=Proof(How(body.how), body.witness, body.form_number), notice_version=body.notice_version,
    )  # fmt: skip
    return _consent(row)


@router.post("/families/{family_id}/consents/withdraw", status_code=204, responses=problem_responses(401, 404, 422))
async def withdraw(work: Work, scope: BeforeConsent, body: schemas.WithdrawConsentRequest) -> None:
    """Withdraw consent to a part: its processing ends at once. Without consent nothing changes."""
    await withdraw_consent(work, scope.membership, Part(body.part))


@router.post("/invitations/{invitation_id}/accept", responses=problem_responses(401, 404, 409, 422))
async def accept(
    work: Work, caller: IsLoggedIn, invitation_id: uuid.UUID, body: schemas.AcceptInvitationRequest
) -> schemas.MeResponse:
    """Join the family that invited the caller's phone, with consent to messages. 409 once the invitation has ended."""
    await accept_invitation(
        work, caller.guardian, invitation_id, text_version=body.text_version, locale=body.locale,
        notice_version=body.notice_version,
    )  # fmt: skip
    return await me_response(work, caller.guardian)


@router.post("/invitations/{invitation_id}/decline", status_code=204, responses=problem_responses(401, 404, 409, 422))
async def decline(work: Work, caller: IsLoggedIn, invitation_id: uuid.UUID) -> None:
    """Decline an invitation. A declined one stays unchanged; 409 once it was accepted."""
    await decline_invitation(work, caller.guardian, invitation_id)


async def _notice(work: UnitOfWork, site: Site | None, locale: str) -> schemas.PrivacyNoticeResponse:
    if site is None:
        raise NotFoundError
    return await notice_response(work, site, locale)


async def me_response(work: UnitOfWork, guardian: Guardian) -> schemas.MeResponse:
    """Read a guardian's account and return it."""
    shown = await families_shown(work, guardian)
    invitations = await invitations_for(work, guardian.phone) if shown.is_invited else []
    return account_response(guardian, shown, invitations)


def account_response(
    guardian: Guardian, shown: FamiliesShown, invitations: Sequence[tuple[Invitation, Family]]
) -> schemas.MeResponse:
    """Return a guardian's account of families and invitations that were read before."""
    return schemas.MeResponse(
        guardian_id=guardian.guardian_id,
        phone=guardian.phone,
        display_name=guardian.display_name,
        locale=guardian.locale,
        families=[
            schemas.MyFamily.model_validate(
                {
                    **of.membership.model_dump(),
                    "family_code": of.family.family_code,
                    "consents": [_consent(row) for row in of.consents],
                }
            )
            for of in shown.families
        ],
        invitations=[
            schemas.MyInvitation.model_validate({**invitation.model_dump(), "family_code": family.family_code})
            for invitation, family in invitations
        ],
    )


async def _consents(work: UnitOfWork, guardian_id: uuid.UUID, family_id: uuid.UUID) -> list[schemas.ConsentResponse]:
    return [_consent(row) for row in await consents_of(work, guardian_id) if row.family_id == family_id]


def _consent(row: ConsentRow) -> schemas.ConsentResponse:
    return schemas.ConsentResponse.model_validate({**row.model_dump(), "newer_version": newer_text_version(row)})
