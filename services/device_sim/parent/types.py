"""What a parent is told over HTTP: small records; fields of later versions are ignored."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from pydantic.dataclasses import dataclass


class ProblemError(Exception):
    """The backend refused (RFC 9457). `code` is stable; `detail` is a sentence; `fields` what else was told."""

    def __init__(self, code: str, status: int, detail: str, fields: dict[str, Any] | None = None) -> None:
        super().__init__(f"{code} ({status}): {detail}")
        self.code = code
        self.status = status
        self.detail = detail
        self.fields = fields or {}


class ServerAwayError(Exception):
    """The backend was not reached, or is not well; what was sent may or may not have arrived."""


@dataclass(frozen=True)
class CodeSent:
    """A one-time code is on its way, if this phone may have one."""

    challenge_id: str
    challenge_secret: Annotated[str, Field(repr=False)]
    expires_in_s: int
    resend_after_s: int


@dataclass(frozen=True)
class Session:
    """The tokens of a log-in."""

    access_token: Annotated[str, Field(repr=False)]
    refresh_token: Annotated[str, Field(repr=False)]
    guardian_id: str
    # Told when the device was a new one; kept apart from the session, for it outlives it.
    device_token: Annotated[str | None, Field(repr=False)] = None
    # A new phone: nothing but its second step is answered until it was taken.
    limited: bool = False


@dataclass(frozen=True)
class Consent:
    """A consent that was given."""

    part: str
    text_version: str
    locale: str
    how: str
    given_at: datetime
    withdrawn_at: datetime | None = None


@dataclass(frozen=True)
class ConsentText:
    """A text to read before agreeing."""

    part: str
    text_version: str
    locale: str
    text: str


@dataclass(frozen=True)
class Family:
    """A family of the parent, with the parent's rights in it."""

    family_id: str
    family_code: str
    is_primary: bool
    may_message: bool
    may_locate: bool
    may_manage: bool
    consents: list[Consent]

    def has_consent(self, part: str = "messages") -> bool:
        """Tell whether the parent agreed to this part."""
        return any(consent.part == part and consent.withdrawn_at is None for consent in self.consents)


@dataclass(frozen=True)
class MyInvitation:
    """An invitation the parent can accept."""

    invitation_id: str
    family_code: str
    relation: str
    may_message: bool
    may_locate: bool
    may_manage: bool
    expires_at: datetime


@dataclass(frozen=True)
class Me:
    """The parent who is logged in."""

    guardian_id: str
    display_name: str
    locale: str
    phone: str
    families: list[Family]
    invitations: list[MyInvitation]


@dataclass(frozen=True)
class ChildWatch:
    """How a child's watch is; versions differ while a change is on its way to it."""

    state: str
    watch_serial: str
    contacts_version: int
    contacts_acked_version: int
    config_version: int
    config_acked_version: int
    battery_pct: int | None = None
    firmware: str | None = None
    last_seen_at: datetime | None = None


@dataclass(frozen=True)
class Child:
    """A child of the family."""

    child_id: str
    family_id: str
    name: str
    watch: ChildWatch | None = None


@dataclass(frozen=True)
class Guardian:
    """Somebody who belongs to the family."""

    guardian_id: str
    display_name: str
    phone: str | None
    relation: str
    is_primary: bool
    may_message: bool
    may_locate: bool
    may_manage: bool


@dataclass(frozen=True)
class Invitation:
    """An invitation the family has sent."""

    invitation_id: str
    phone: str
    relation: str
    display_name: str
    may_message: bool
    may_locate: bool
    may_manage: bool
    expires_at: datetime


@dataclass(frozen=True)
class Contact:
    """Somebody who can reach the child, or whom the child can call."""

    contact_id: str
    wire_id: str
    kind: str
    name: str
    relation: str
    may_message: bool
    may_call: bool
    position: int
    emergency: bool
    state: str
    number: str | None = None


@dataclass(frozen=True)
class ContactList:
    """The child's contacts, and which version of them the watch has acknowledged."""

    version: int
    acked_version: int
    contacts: list[Contact]


@dataclass(frozen=True)
class Pairing:
    """A watch bound to a child: `issued` until the watch's first hello, then `confirmed`."""

    pairing_id: str
    watch_serial: str
    state: str


@dataclass(frozen=True)
class Sender:
    """Who sent a message."""

    kind: str
    name: str
    guardian_id: str | None = None


@dataclass(frozen=True)
class Recipient:
    """What became of a message at one recipient."""

    kind: str
    name: str
    state: str
    guardian_id: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Voice:
    """The sound of a voice message: `pending` until it is decoded, then `ready`, `unplayable`, or `gone`."""

    state: str
    bytes: int
    kept: bool
    duration_ms: int | None = None
    bars: list[int] | None = None


@dataclass(frozen=True)
class Upload:
    """How far a recording that is sent in parts has come; the next part begins at `offset`."""

    upload_id: str
    bytes: int
    offset: int
    part_max_bytes: int


@dataclass(frozen=True)
class Unheard:
    """What this parent has not read (all kinds) or played (voice) of one child."""

    child_id: str
    unread: int
    unplayed: int


@dataclass(frozen=True)
class Message:
    """A message as this parent may see it."""

    message_id: str
    child_id: str
    direction: str
    kind: str
    seq: int
    sender: Annotated[Sender, Field(alias="from")]
    received_at: datetime
    recipients: list[Recipient]
    sent_at: datetime | None = None
    text: Annotated[str | None, Field(repr=False)] = None
    emoji: str | None = None
    voice: Voice | None = None
    my_state: str | None = None

    def state_at_child(self) -> str | None:
        """Return what became of it at the child; None for the child's own messages."""
        return next((recipient.state for recipient in self.recipients if recipient.kind == "child"), None)


@dataclass(frozen=True)
class MessagePage:
    """Messages, newest first; `next_cursor` None at the beginning of the conversation."""

    messages: list[Message]
    next_cursor: str | None


@dataclass(frozen=True)
class FamilyEvent:
    """Something happened in one of the parent's families. `cursor` is where to go on after it."""

    kind: str
    cursor: str
    family_id: str | None = None
    child_id: str | None = None
    ref_id: str | None = None
    detail: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True)
class Waiting:
    """A message in the parent's own outbox: it has not been answered with 201 yet."""

    key: str
    child_id: str
    body: dict[str, str]
    media_type: str | None = None  # of a recording; None: no recording
    in_parts: bool = False
