"""Guardians, families, children, invitations and consents over HTTP."""

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
    """One consent; ``withdrawn_at`` empty: it stands."""

    consent_id: uuid.UUID
    part: Part
    text_version: str
    locale: str
    how: How
    witness: str | None
    form_number: str | None
    given_at: datetime
    withdrawn_at: datetime | None


class ConsentText(ResponseBody):
    """A text to read before agreeing."""

    part: Part
    text_version: str
    locale: str
    text: str


class ConsentTextsResponse(ResponseBody):
    """Every part's text in one language."""

    texts: list[ConsentText]


class ConsentsResponse(ResponseBody):
    """What the caller agreed to in this family, taken-back ones too."""

    consents: list[ConsentResponse]


class GiveConsentRequest(RequestBody):
    """Agree to today's text of a part."""

    part: Part
    text_version: TextVersion
    locale: Locale
    how: How = "app"
    witness: str = Field(default="", max_length=200, description="who was there: of spoken consent and of paper")
    form_number: str = Field(default="", max_length=200, description="of the signed form: of paper only")


class WithdrawConsentRequest(RequestBody):
    """Take consent to a part back."""

    part: Part


class Rights(ResponseBody):
    """What a guardian may do in the family."""

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
    """An invitation the caller can accept."""

    invitation_id: uuid.UUID
    family_code: str
    relation: Relation
    expires_at: datetime


class MeResponse(ResponseBody):
    """The caller."""

    guardian_id: uuid.UUID
    phone: str
    display_name: str
    locale: str
    families: list[MyFamily]
    invitations: list[MyInvitation]


class ChangeMeRequest(RequestBody):
    """What the caller changes about themselves."""

    display_name: Name | None = None
    locale: Locale | None = None


class NewChildRequest(RequestBody):
    """A child to add."""

    name: Name
    birth_year: int | None = Field(default=None, ge=1900, le=2200, examples=[2017])
    birth_date: date | None = Field(
        default=None, description="instead of the year; kept sealed", examples=["2017-05-04"]
    )


class ChangeChildRequest(RequestBody):
    """What changes about a child."""

    name: Name | None = None
    birth_year: int | None = Field(default=None, ge=1900, le=2200)
    birth_date: date | None = None


class WatchOfChild(ResponseBody):
    """How the child's watch is; versions differ while a change is on its way to it."""

    watch_serial: str
    state: Literal["issued", "online", "asleep", "offline"]
    presence: Literal["issued", "online", "asleep", "offline", "silent", "flat", "switched_off", "sim_expired"] = Field(
        description="what it is most likely doing; flat and sim_expired are conclusions, the others were said or seen"
    )
    presence_since_at: datetime | None
    last_seen_at: datetime | None
    asleep_until_at: datetime | None
    battery_pct: int | None
    battery_at: datetime | None = Field(description="when the watch told this level")
    battery_trend_pct_per_h: float | None = Field(
        description="how fast it falls, negative; null while it charges or nothing shows it", examples=[-4.5]
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
        description="the law of the family's country asks for the child's own word, and it is not recorded"
    )
    watch: WatchOfChild | None


class ChildrenResponse(ResponseBody):
    """The children of a family."""

    children: list[ChildResponse]


class ChildAgreementRequest(RequestBody):
    """The child agreed itself; how, as with a guardian's consent."""

    how: How = "app"
    witness: str = Field(default="", max_length=200)
    form_number: str = Field(default="", max_length=200)


class ChildAgreementResponse(ResponseBody):
    """The child's own standing agreement."""

    agreement_id: uuid.UUID
    child_id: uuid.UUID
    how: How
    witness: str | None
    form_number: str | None
    given_at: datetime


class GuardianResponse(Rights):
    """A guardian of the family."""

    guardian_id: uuid.UUID
    display_name: str
    phone: str | None = Field(description="empty: the guardian shows it to nobody")
    number_hidden: bool
    relation: Relation
    is_primary: bool
    joined_at: datetime


class GuardiansResponse(ResponseBody):
    """Everyone who belongs to the family."""

    guardians: list[GuardianResponse]


class ChangeGuardianRequest(RequestBody):
    """Rights and relation to change; what is left out stays."""

    may_message: bool | None = None
    may_locate: bool | None = None
    may_manage: bool | None = None
    relation: Relation | None = None


class NewInvitationRequest(RequestBody):
    """Whom to invite, as what; location stays off unless it is given here."""

    phone: Phone
    country: Country | None = None
    relation: Relation
    display_name: str = Field(default="", max_length=200, examples=["Grandma"])
    may_message: bool = True
    may_locate: bool = False
    may_manage: bool = False


class InvitationResponse(Rights):
    """A standing invitation."""

    invitation_id: uuid.UUID
    phone: str
    relation: Relation
    display_name: str
    expires_at: datetime


class InvitationsResponse(ResponseBody):
    """Invitations that can still be accepted."""

    invitations: list[InvitationResponse]


class AcceptInvitationRequest(RequestBody):
    """Join with consent to messages."""

    part: Literal["messages"] = "messages"
    text_version: TextVersion
    locale: Locale
