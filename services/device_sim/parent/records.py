"""Answers of the API as records. Made from its OpenAPI document: `make records`. Do not edit.

Fields of later versions are ignored.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass


@dataclass(frozen=True)
class CodeSent:
    """``LoginCodeResponse`` of the API."""

    challenge_id: str
    challenge_secret: Annotated[str, Field(repr=False)]
    expires_in_s: int
    resend_after_s: int


@dataclass(frozen=True)
class Session:
    """``TokenResponse`` of the API."""

    access_token: Annotated[str, Field(repr=False)]
    expires_in_s: int
    refresh_token: Annotated[str, Field(repr=False)]
    refresh_expires_in_s: int
    guardian_id: str
    limited: bool
    device_token: Annotated[str | None, Field(repr=False)]
    token_type: str | None = None


@dataclass(frozen=True)
class Consent:
    """``ConsentResponse`` of the API."""

    consent_id: str
    part: str
    text_version: str
    newer_version: str | None
    notice_version: str | None
    locale: str
    how: str
    witness: str | None
    form_number: str | None
    given_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True)
class ConsentText:
    """``ConsentText`` of the API."""

    part: str
    text_version: str
    locale: str
    text: Annotated[str, Field(repr=False)]


@dataclass(frozen=True)
class PrivacyNotice:
    """``PrivacyNoticeResponse`` of the API."""

    notice_version: str
    locale: str
    text: Annotated[str, Field(repr=False)]
    is_fictional: bool


@dataclass(frozen=True)
class Question:
    """``Question`` of the API."""

    subject: str
    child_id: str | None
    is_newer: bool
    text_version: str
    locale: str
    text: Annotated[str, Field(repr=False)]
    notice: PrivacyNotice | None


@dataclass(frozen=True)
class Family:
    """``MyFamily`` of the API."""

    may_message: bool
    may_locate: bool
    may_manage: bool
    family_id: str
    family_code: str
    is_primary: bool
    relation: str
    consents: list[Consent]


@dataclass(frozen=True)
class MyInvitation:
    """``MyInvitation`` of the API."""

    may_message: bool
    may_locate: bool
    may_manage: bool
    invitation_id: str
    family_code: str
    relation: str
    expires_at: datetime


@dataclass(frozen=True)
class Me:
    """``MeResponse`` of the API."""

    guardian_id: str
    phone: Annotated[str, Field(repr=False)]
    display_name: str
    locale: str
    families: list[Family]
    invitations: list[MyInvitation]


@dataclass(frozen=True)
class ChildWatch:
    """``WatchOfChild`` of the API."""

    watch_serial: str
    state: str
    presence: str
    presence_since_at: datetime | None
    on_its_way_since_at: datetime | None
    last_seen_at: datetime | None
    asleep_until_at: datetime | None
    battery_pct: int | None
    battery_at: datetime | None
    battery_trend_pct_per_h: float | None
    firmware: str | None
    contacts_version: int
    contacts_acked_version: int
    config_version: int
    config_acked_version: int


@dataclass(frozen=True)
class Child:
    """``ChildResponse`` of the API."""

    child_id: str
    family_id: str
    name: str
    birth_year: int | None
    birth_date: date | None
    childs_consent_due: bool
    watch: ChildWatch | None


@dataclass(frozen=True)
class Guardian:
    """``GuardianResponse`` of the API."""

    may_message: bool
    may_locate: bool
    may_manage: bool
    guardian_id: str
    display_name: str
    phone: Annotated[str | None, Field(repr=False)]
    number_hidden: bool
    relation: str
    is_primary: bool
    joined_at: datetime


@dataclass(frozen=True)
class Invitation:
    """``InvitationResponse`` of the API."""

    may_message: bool
    may_locate: bool
    may_manage: bool
    invitation_id: str
    phone: Annotated[str, Field(repr=False)]
    relation: str
    display_name: str
    expires_at: datetime


@dataclass(frozen=True)
class Contact:
    """``ContactResponse`` of the API."""

    contact_id: str
    wire_id: str
    kind: str
    guardian_id: str | None
    name: str
    relation: str
    number: Annotated[str | None, Field(repr=False)]
    may_message: bool
    may_call: bool
    position: int
    emergency: bool
    state: str
    lives_with_child: bool


@dataclass(frozen=True)
class ContactList:
    """``ContactListResponse`` of the API."""

    version: int
    acked_version: int
    contacts: list[Contact]


@dataclass(frozen=True)
class Pairing:
    """``PairingResponse`` of the API."""

    pairing_id: str
    watch_serial: str
    state: str
    issued_at: datetime
    confirmed_at: datetime | None


@dataclass(frozen=True)
class Upload:
    """``UploadResponse`` of the API."""

    upload_id: str
    bytes: int
    offset: int
    part_max_bytes: int
    expires_at: datetime
    message_id: str | None


@dataclass(frozen=True)
class Unheard:
    """``UnheardCount`` of the API."""

    child_id: str
    unread: int
    unplayed: int


@dataclass(frozen=True)
class Voice:
    """``Voice`` of the API."""

    state: str
    duration_ms: int | None
    bytes: int
    bars: list[int] | None
    kept: bool
    expires_at: datetime
    kept_until: datetime | None


@dataclass(frozen=True)
class Sender:
    """``Sender`` of the API."""

    kind: str
    name: str
    guardian_id: str | None = None


@dataclass(frozen=True)
class Recipient:
    """``services__api__family__schemas__messages__Recipient`` of the API."""

    kind: str
    name: str
    state: str
    changed_at: datetime
    guardian_id: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Message:
    """``MessageResponse`` of the API."""

    message_id: str
    child_id: str
    seq: int
    direction: str
    kind: str
    sender: Annotated[Sender, Field(alias="from")]
    sent_at: datetime | None
    received_at: datetime
    expires_at: datetime
    recipients: list[Recipient]
    text: Annotated[str | None, Field(repr=False)] = None
    emoji: str | None = None
    voice: Voice | None = None
    my_state: str | None = None


@dataclass(frozen=True)
class MessagePage:
    """``MessagesResponse`` of the API."""

    messages: list[Message]
    next_cursor: str | None


@dataclass(frozen=True)
class Place:
    """``Place`` of the API."""

    lat: Annotated[float, Field(repr=False)]
    lon: Annotated[float, Field(repr=False)]
    altitude_m: float | None = None


@dataclass(frozen=True)
class ZoneName:
    """``ZoneName`` of the API."""

    zone_id: str
    name: str


@dataclass(frozen=True)
class Seen:
    """``LatestFix`` of the API."""

    place: Place
    accuracy_m: float
    source: str | None
    happened_at: datetime
    received_at: datetime
    age_s: int
    zone: ZoneName | None


@dataclass(frozen=True)
class Latest:
    """``LatestPlaceResponse`` of the API."""

    child_id: str
    location_on: bool
    seen: Seen | None


@dataclass(frozen=True)
class Qualities:
    """``Qualities`` of the API."""

    good: int
    poor: int
    bad: int
    late: int


@dataclass(frozen=True)
class Stay:
    """``Stay`` of the API."""

    from_at: datetime
    until_at: datetime
    place: Place
    zone: ZoneName | None
    fixes: int


@dataclass(frozen=True)
class Passage:
    """``Passage`` of the API."""

    happened_at: datetime
    kind: str
    zone: ZoneName
    alarmed: bool


@dataclass(frozen=True)
class Day:
    """``DayResponse`` of the API."""

    child_id: str
    day: date
    timezone: str
    starts_at: datetime
    ends_at: datetime
    qualities: Qualities
    stays: list[Stay]
    passages: list[Passage]
    track: Annotated[list[Place], Field(repr=False)]


@dataclass(frozen=True)
class CircleShape:
    """``CircleShape`` of the API."""

    kind: str
    lat: Annotated[float, Field(repr=False)]
    lon: Annotated[float, Field(repr=False)]
    radius_m: float


@dataclass(frozen=True)
class Corner:
    """``Corner`` of the API."""

    lat: Annotated[float, Field(repr=False)]
    lon: Annotated[float, Field(repr=False)]


@dataclass(frozen=True)
class OutlineShape:
    """``OutlineShape`` of the API."""

    kind: str
    corners: list[Corner]


@dataclass(frozen=True)
class ZoneHours:
    """``ZoneHours`` of the API."""

    days: list[int]
    sender: Annotated[str, Field(alias="from")]
    to: str


@dataclass(frozen=True)
class Zone:
    """``ZoneResponse`` of the API."""

    zone_id: str
    name: str
    shape: Annotated[CircleShape | OutlineShape, Field(repr=False)]
    hours: list[ZoneHours]
    stand: str
    since_at: datetime | None
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True)
class AlertCall:
    """``AlertCall`` of the API."""

    round_no: int
    guardian_id: str | None
    contact_id: str | None
    called_at: datetime


@dataclass(frozen=True)
class AlertAnswer:
    """``AlertAnswer`` of the API."""

    guardian_id: str | None
    answer: str
    tapped_at: datetime
    answered_at: datetime


@dataclass(frozen=True)
class Alert:
    """``AlertResponse`` of the API."""

    alert_id: str
    child_id: str
    kind: str
    subject_id: str | None
    happened_at: datetime | None
    raised_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    state: str | None
    calling_round: int
    next_calls_at: datetime | None
    calls: list[AlertCall]
    answers: list[AlertAnswer]
    check_asked_at: datetime | None
    all_right_at: datetime | None
    all_right_by: str | None
    emergency_number: str
    watch_number: str | None


@dataclass(frozen=True)
class AlertPage:
    """``AlertsResponse`` of the API."""

    alerts: list[Alert]
    next_cursor: str | None


@dataclass(frozen=True)
class GivenCommand:
    """``CommandResponse`` of the API."""

    command_id: str
    child_id: str
    kind: str
    state: str
    detail: str | None
    asked_by: str | None
    asked_at: datetime
    expires_at: datetime
    changed_at: datetime


@dataclass(frozen=True)
class QuietTime:
    """``QuietTime`` of the API."""

    days: list[int]
    starts: str
    ends: str


@dataclass(frozen=True)
class Settings:
    """``WatchSettingsResponse`` of the API."""

    version: int
    acked_version: int | None
    checkin_interval_s: int
    location: bool
    quiet: list[QuietTime]
    quiet_now: bool
    timezone: str
    utc_offset_s: int
    language: str
    volume_pct: int


@dataclass(frozen=True)
class Availability:
    """``AvailabilityResponse`` of the API."""

    busy_until: datetime | None


@dataclass(frozen=True)
class SessionShown:
    """``MySession`` of the API."""

    session_id: str
    label: str
    created_at: datetime
    last_used_at: datetime
    limited: bool
    current: bool


@dataclass(frozen=True)
class WaitingLogIn:
    """``WaitingLogIn`` of the API."""

    log_in_id: str
    guardian_id: str
    display_name: str
    phone: Annotated[str | None, Field(repr=False)]
    label: str
    created_at: datetime
    approvable_from_at: datetime
    approvable_until_at: datetime
