"""HTTP bodies of guardians, families, children, invitations and consents."""

import uuid
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from services.api.family.schemas.auth import Locale
from services.api.schema_base import RequestBody, ResponseBody
from services.api.schema_fields import Country, Phone

Part = Literal["messages", "location", "measurement", "sos_places"]
How = Literal["app", "spoken", "paper"]
Relation = Literal[
    "mother", "father", "grandmother", "grandfather", "sister", "brother", "aunt", "uncle", "teacher", "neighbour",
    "friend", "other",
]  # fmt: skip
Name = Annotated[str, Field(min_length=1, max_length=200, examples=["Mei"])]
TextVersion = Annotated[str, Field(min_length=1, max_length=20, examples=["2026-03"])]


class ConsentResponse(ResponseBody):
    """A consent; it is in force while `withdrawn_at` is null."""

    consent_id: uuid.UUID
    part: Part
    text_version: str
    newer_version: str | None = Field(
        description="the current text, where it is newer: ask again; until answered this consent stands"
    )
    notice_version: str | None = Field(description="privacy notice in force; null: before notices, or without a site")
    locale: str
    how: How
    witness: str | None
    form_number: str | None
    given_at: datetime
    withdrawn_at: datetime | None


class PrivacyNoticeResponse(ResponseBody):
    """The privacy notice of the family's site: read before the first consent, not agreed to."""

    notice_version: str = Field(description="send it with the consent", examples=["1.3"])
    locale: str
    text: str
    is_fictional: bool = Field(description="holds fictional values; never in production")


class ConsentText(ResponseBody):
    """A consent text."""

    part: Part
    text_version: str
    locale: str
    text: str


Subject = Literal["messages", "location", "childs_word", "sos_places", "measurement"]


class Question(ResponseBody):
    """The one question to ask now, with its text. "Not now" is shown as prominently as "agree"."""

    subject: Subject = Field(description="what is asked for: a part of consent, or a child's own word")
    child_id: uuid.UUID | None = Field(description="whose own word is asked for; the text is for the child")
    is_newer: bool = Field(description="a newer text of a consent that stands until it is answered")
    text_version: str
    locale: str
    text: str
    notice: PrivacyNoticeResponse | None = Field(description="read first; with the question about messages")


class QuestionResponse(ResponseBody):
    """The caller's question of today; null: none until tomorrow at the earliest."""

    question: Question | None


class NotNowRequest(RequestBody):
    """The question that is put off."""

    subject: Subject = Field(description="subject of the question", examples=["location"])
    child_id: uuid.UUID | None = Field(default=None, description="the question's child, if it names one")


class TextForChildren(ResponseBody):
    """Text that a child reads, or is read to, before its own word on places."""

    text_version: str = Field(description="send it with the agreement", examples=["1"])
    locale: str = Field(examples=["en"])
    text: str = Field(description="paragraphs separated by blank lines, the first one is the title")


class ConsentTextsResponse(ResponseBody):
    """The text of each part in one language, and the text for children."""

    texts: list[ConsentText]
    for_children: TextForChildren = Field(description="offered where the child's own word is due from its age")


class ConsentsResponse(ResponseBody):
    """The caller's consents in this family, including withdrawn ones."""

    consents: list[ConsentResponse]


class GiveConsentRequest(RequestBody):
    """Consent to the current text of a part."""

    part: Part
    text_version: TextVersion
    locale: Locale
    how: How = "app"
    witness: str = Field(default="", max_length=200, description="the witness; for spoken and paper consent")
    form_number: str = Field(default="", max_length=200, description="number of the signed form; for paper consent")
    notice_version: str | None = Field(
        default=None, max_length=20, description="of the privacy notice shown before; omitted: the one in force"
    )


class WithdrawConsentRequest(RequestBody):
    """The part whose consent is withdrawn."""

    part: Part


class Rights(ResponseBody):
    """Rights of a guardian in the family."""

    may_message: bool
    may_locate: bool
    may_manage: bool


class MyFamily(Rights):
    """A family of the caller."""

    family_id: uuid.UUID
    family_code: str
    is_primary: bool
    relation: Relation
    consents: list[ConsentResponse]


class MyInvitation(Rights):
    """An invitation that the caller can accept."""

    invitation_id: uuid.UUID
    family_code: str
    relation: Relation
    expires_at: datetime


class MeResponse(ResponseBody):
    """The caller's account."""

    guardian_id: uuid.UUID
    phone: str
    display_name: str
    locale: str
    families: list[MyFamily]
    invitations: list[MyInvitation]


class ChangeMeRequest(RequestBody):
    """Fields of the caller's account to change; omitted fields stay unchanged."""

    display_name: Name | None = None
    locale: Locale | None = None


class NewChildRequest(RequestBody):
    """A child to add."""

    name: Name
    birth_year: int | None = Field(default=None, ge=1900, le=2200, examples=[2017])
    birth_date: date | None = Field(
        default=None, description="instead of the year; stored encrypted", examples=["2017-05-04"]
    )


class ChangeChildRequest(RequestBody):
    """Fields of a child to change; omitted fields stay unchanged."""

    name: Name | None = None
    birth_year: int | None = Field(default=None, ge=1900, le=2200)
    birth_date: date | None = None


class WatchOfChild(ResponseBody):
    """State of the child's watch; a version exceeds its `acked` version until the watch acknowledges the change."""

    watch_serial: str
    state: Literal["issued", "online", "asleep", "offline"]
    presence: Literal[
        "issued", "on_its_way", "online", "asleep", "offline", "silent", "flat", "switched_off", "sim_expired"
    ] = Field(description="most likely state; flat and sim_expired are inferred, the others reported or observed")
    presence_since_at: datetime | None
    on_its_way_since_at: datetime | None = Field(
        description="paired and not yet with the child: no alert of silence; null once it arrived. Ends by the first "
        "message or SOS, an hour worn after 12 h of silence, or `POST .../pairing/arrived`"
    )
    last_seen_at: datetime | None
    asleep_until_at: datetime | None
    battery_pct: int | None
    battery_at: datetime | None = Field(description="time at which the watch reported this level")
    battery_trend_pct_per_h: float | None = Field(
        description="change per hour, negative; null while charging or unknown", examples=[-4.5]
    )
    firmware: str | None
    contacts_version: int
    contacts_acked_version: int
    config_version: int
    config_acked_version: int


class ChildResponse(ResponseBody):
    """A child and its watch."""

    child_id: uuid.UUID
    family_id: uuid.UUID
    name: str
    birth_year: int | None
    birth_date: date | None
    childs_consent_due: bool = Field(
        description="the law of the family's country requires the child's own agreement, which is not recorded"
    )
    watch: WatchOfChild | None


class ChildrenResponse(ResponseBody):
    """The children of a family."""

    children: list[ChildResponse]


class ChildAgreementRequest(RequestBody):
    """The child's own word, with the same proof as a guardian's consent."""

    agreed: bool = Field(default=True, description="false: the child says no, and location ends at once")
    text_version: str | None = Field(
        default=None, max_length=20, description="of the text for children that the child was shown"
    )
    how: How = "app"
    witness: str = Field(default="", max_length=200)
    form_number: str = Field(default="", max_length=200)


class ChildAgreementResponse(ResponseBody):
    """The child's current word."""

    agreement_id: uuid.UUID
    child_id: uuid.UUID
    agreed: bool = Field(description="false: the child said no")
    text_version: str | None = Field(description="text for children that was shown; null: none")
    how: How
    witness: str | None
    form_number: str | None
    given_at: datetime


class GuardianResponse(Rights):
    """A guardian of the family."""

    guardian_id: uuid.UUID
    display_name: str
    phone: str | None = Field(description="null: hidden by the guardian")
    number_hidden: bool
    relation: Relation
    is_primary: bool
    joined_at: datetime


class LivesWithChild(ResponseBody):
    """A phone contact who lives with a child of the family: reachable by text message only."""

    contact_id: uuid.UUID
    child_id: uuid.UUID
    name: str
    relation: Relation
    reachable_by: Literal["text"] = "text"


class GuardiansResponse(ResponseBody):
    """The guardians of the family."""

    guardians: list[GuardianResponse]
    lives_with_child: list[LivesWithChild] = Field(
        description="contacts without an account who get a text message when a watch of the family calls for help"
    )


class ChangeGuardianRequest(RequestBody):
    """Rights and relation to change; omitted fields stay unchanged."""

    may_message: bool | None = None
    may_locate: bool | None = None
    may_manage: bool | None = None
    relation: Relation | None = None


class NewInvitationRequest(RequestBody):
    """An invitation to send; the right to locate is off by default."""

    phone: Phone
    country: Country | None = None
    relation: Relation
    display_name: str = Field(default="", max_length=200, examples=["Grandma"])
    may_message: bool = True
    may_locate: bool = False
    may_manage: bool = False


class InvitationResponse(Rights):
    """An invitation that can still be accepted."""

    invitation_id: uuid.UUID
    phone: str
    relation: Relation
    display_name: str
    expires_at: datetime


class InvitationsResponse(ResponseBody):
    """Invitations that can still be accepted."""

    invitations: list[InvitationResponse]


class AcceptInvitationRequest(RequestBody):
    """Acceptance of an invitation, with consent to messages."""

    part: Literal["messages"] = "messages"
    text_version: TextVersion
    locale: Locale
    notice_version: str | None = Field(
        default=None, max_length=20, description="of the privacy notice shown before; omitted: the one in force"
    )
