"""A parent's family: consent, children, watches, guardians, contacts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic.dataclasses import dataclass

from services.device_sim.parent.http import ParentHttp
from services.device_sim.parent.records import (
    Child,
    Consent,
    ConsentText,
    Contact,
    ContactList,
    Guardian,
    Invitation,
    Me,
    Pairing,
    PrivacyNotice,
    Question,
)


@dataclass(frozen=True)
class _Texts:
    texts: list[ConsentText]


@dataclass(frozen=True)
class _Asked:
    question: Question | None


@dataclass(frozen=True)
class _Children:
    children: list[Child]


@dataclass(frozen=True)
class _Guardians:
    guardians: list[Guardian]


@dataclass(frozen=True)
class _Invitations:
    invitations: list[Invitation]


class ParentFamily:
    """Family management: `parent.family`. Every method raises ProblemError or ServerAwayError."""

    def __init__(self, http: ParentHttp) -> None:
        self._http = http

    async def rename(self, display_name: str) -> Me:
        """Change the own name, which watches show."""
        return await self._http.ask_for(Me, "PATCH", "/v1/me", body={"display_name": display_name})

    # ---------------------------------------------------------------- consent and invitations

    async def consent_texts(self, locale: str = "en") -> list[ConsentText]:
        """Return the consent texts."""
        answer = await self._http.ask_for(
            _Texts, "GET", "/v1/consent-texts", query={"locale": locale}, open_to_all=True
        )
        return answer.texts

    async def privacy_notice(self, family_id: str, locale: str = "en") -> PrivacyNotice:
        """Return who is responsible at the family's site."""
        path = f"/v1/families/{family_id}/privacy-notice"
        return await self._http.ask_for(PrivacyNotice, "GET", path, query={"locale": locale})

    async def consent(self, family_id: str, part: str = "messages", *, locale: str = "en") -> Consent:
        """Read the privacy notice, and consent to the current text of a part."""
        notice = await self.privacy_notice(family_id, locale)
        text = next(text for text in await self.consent_texts(locale) if text.part == part)
        body = {"part": part, "text_version": text.text_version, "locale": text.locale, "how": "app"}
        body["notice_version"] = notice.notice_version
        return await self._http.ask_for(Consent, "POST", f"/v1/families/{family_id}/consents", body=body)

    async def question(self, family_id: str) -> Question | None:
        """Return the one question to ask this guardian now, or None."""
        return (await self._http.ask_for(_Asked, "GET", f"/v1/families/{family_id}/question")).question

    async def not_now(self, family_id: str, question: Question) -> None:
        """Put a question off."""
        body = {"subject": question.subject, "child_id": question.child_id}
        await self._http.ask("POST", f"/v1/families/{family_id}/question/not-now", body=body)

    async def childs_word(self, child_id: str, *, agreed: bool, text_version: str) -> None:
        """Record the child's own word on the text that it was shown."""
        body = {"agreed": agreed, "text_version": text_version}
        await self._http.ask("POST", f"/v1/children/{child_id}/agreement", body=body)

    async def withdraw_consent(self, family_id: str, part: str = "messages") -> None:
        """Withdraw a consent."""
        await self._http.ask("POST", f"/v1/families/{family_id}/consents/withdraw", body={"part": part})

    async def accept_invitation(self, invitation_id: str, *, locale: str = "en") -> Me:
        """Join the family that invited this phone, after its privacy notice, and consent to messages."""
        path = f"/v1/invitations/{invitation_id}"
        notice = await self._http.ask_for(
            PrivacyNotice, "GET", f"{path}/privacy-notice", query={"locale": locale}
        )  # fmt: skip
        text = next(text for text in await self.consent_texts(locale) if text.part == "messages")
        body = {
            "text_version": text.text_version, "locale": text.locale, "notice_version": notice.notice_version,
        }  # fmt: skip
        return await self._http.ask_for(Me, "POST", f"{path}/accept", body=body)

    async def decline_invitation(self, invitation_id: str) -> None:
        """Decline an invitation."""
        await self._http.ask("POST", f"/v1/invitations/{invitation_id}/decline")

    async def invite(self, family_id: str, phone: str, relation: str, **rights: Any) -> Invitation:  # noqa: ANN401
        """Invite a phone; `rights` are may_message, may_locate, may_manage, and display_name."""
        body = {"phone": phone, "relation": relation, **rights}
        return await self._http.ask_for(Invitation, "POST", f"/v1/families/{family_id}/invitations", body=body)

    async def invitations(self, family_id: str) -> list[Invitation]:
        """Return the invitations that can still be accepted."""
        answer = await self._http.ask_for(_Invitations, "GET", f"/v1/families/{family_id}/invitations")
        return answer.invitations

    async def revoke_invitation(self, family_id: str, invitation_id: str) -> None:
        """Revoke an invitation."""
        await self._http.ask("DELETE", f"/v1/families/{family_id}/invitations/{invitation_id}")

    # ---------------------------------------------------------------- guardians

    async def guardians(self, family_id: str) -> list[Guardian]:
        """Return all guardians of the family."""
        return (await self._http.ask_for(_Guardians, "GET", f"/v1/families/{family_id}/guardians")).guardians

    async def change_guardian(self, family_id: str, guardian_id: str, **changes: Any) -> Guardian:  # noqa: ANN401
        """Change a guardian's may_message, may_locate, may_manage or relation."""
        path = f"/v1/families/{family_id}/guardians/{guardian_id}"
        return await self._http.ask_for(Guardian, "PATCH", path, body=changes)

    async def remove_guardian(self, family_id: str, guardian_id: str) -> None:
        """Remove a guardian: access ends at once."""
        await self._http.ask("DELETE", f"/v1/families/{family_id}/guardians/{guardian_id}")

    # ---------------------------------------------------------------- children and their watches

    async def children(self, family_id: str) -> list[Child]:
        """Return the family's children with the state of their watches."""
        return (await self._http.ask_for(_Children, "GET", f"/v1/families/{family_id}/children")).children

    async def create_child(self, family_id: str, name: str, birth_year: int | None = None) -> Child:
        """Add a child; needs consent first."""
        body: dict[str, Any] = {"name": name} if birth_year is None else {"name": name, "birth_year": birth_year}
        return await self._http.ask_for(Child, "POST", f"/v1/families/{family_id}/children", body=body)

    async def child(self, child_id: str) -> Child:
        """Return one child with the state of its watch."""
        return await self._http.ask_for(Child, "GET", f"/v1/children/{child_id}")

    async def pair(self, child_id: str, code: str) -> Pairing:
        """Enter the code that the watch shows."""
        return await self._http.ask_for(Pairing, "POST", f"/v1/children/{child_id}/pairing", body={"code": code})

    async def pairing(self, child_id: str) -> Pairing:
        """Return the pairing's state; ProblemError not_found without one."""
        return await self._http.ask_for(Pairing, "GET", f"/v1/children/{child_id}/pairing")

    async def arrived(self, child_id: str) -> None:
        """State that the watch has reached the child."""
        await self._http.ask("POST", f"/v1/children/{child_id}/pairing/arrived")

    async def unpair(self, child_id: str, reason: str = "unpaired") -> None:
        """End the pairing: the watch loses access at once and wipes itself."""
        await self._http.ask("DELETE", f"/v1/children/{child_id}/pairing", query={"reason": reason})

    # ---------------------------------------------------------------- contacts

    async def contacts(self, child_id: str) -> ContactList:
        """Return the child's contacts."""
        return await self._http.ask_for(ContactList, "GET", f"/v1/children/{child_id}/contacts")

    async def add_contact(self, child_id: str, name: str, relation: str, number: str, **more: Any) -> Contact:  # noqa: ANN401
        """Propose a phone contact; `more` are may_call and emergency."""
        body = {"name": name, "relation": relation, "number": number, **more}
        return await self._http.ask_for(Contact, "POST", f"/v1/children/{child_id}/contacts", body=body)

    async def approve_contact(self, child_id: str, contact_id: str) -> Contact:
        """Approve a proposed contact."""
        return await self._http.ask_for(Contact, "POST", f"/v1/children/{child_id}/contacts/{contact_id}/approve")

    async def change_contact(self, child_id: str, contact_id: str, **changes: Any) -> Contact:  # noqa: ANN401
        """Change a contact's name, relation, number, may_call or emergency."""
        path = f"/v1/children/{child_id}/contacts/{contact_id}"
        return await self._http.ask_for(Contact, "PATCH", path, body=changes)

    async def order_contacts(self, child_id: str, contact_ids: Sequence[str]) -> ContactList:
        """Set the order of the contacts."""
        body = {"contact_ids": list(contact_ids)}
        return await self._http.ask_for(ContactList, "PUT", f"/v1/children/{child_id}/contacts/order", body=body)

    async def mark_lives_with_child(self, child_id: str, contact_id: str, witness: str) -> Contact:
        """Note that a contact lives with the child and agreed, before a witness, to texts about calls for help."""
        path = f"/v1/children/{child_id}/contacts/{contact_id}/lives-with-child"
        return await self._http.ask_for(Contact, "PUT", path, body={"agreed": True, "witness": witness})

    async def remove_contact(self, child_id: str, contact_id: str) -> None:
        """Remove a phone contact."""
        await self._http.ask("DELETE", f"/v1/children/{child_id}/contacts/{contact_id}")
