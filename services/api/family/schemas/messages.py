"""HTTP bodies of messages and uploads."""

import uuid
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field, JsonValue

from services.api.schema_base import RequestBody, ResponseBody
from services.api.schema_fields import WrittenTime
from services.core.conversation.messages.rules import EMOJI
from services.core.platform.text_rules import MESSAGE

State = Literal["queued", "stored", "delivered", "played", "expired", "rejected"]


MadeAt = Annotated[
    WrittenTime,
    Field(
        description="when the phone made the message, if it waited there; a later time than now counts as now",
        examples=["2026-03-02T19:00:00+08:00"],
    ),
]
# The document states the rules; longer texts and unknown words are refused by the core, under codes of their own.
_TEXT_RULE: Final[dict[str, JsonValue]] = {"maxLength": MESSAGE.max_characters}
_EMOJI_RULE: Final[dict[str, JsonValue]] = {"enum": [*sorted(EMOJI)]}


class TextMessageRequest(RequestBody):
    """A text for the child."""

    kind: Literal["text"]
    text: Annotated[
        str, Field(min_length=1, max_length=2000, examples=["Good night, sleep well!"], json_schema_extra=_TEXT_RULE)
    ]
    made_at: MadeAt | None = None


class EmojiMessageRequest(RequestBody):
    """An emoji for the child, given by its word."""

    kind: Literal["emoji"]
    emoji: Annotated[str, Field(min_length=1, max_length=32, examples=["heart"], json_schema_extra=_EMOJI_RULE)]
    made_at: MadeAt | None = None


NewMessageRequest = Annotated[TextMessageRequest | EmojiMessageRequest, Field(discriminator="kind")]


class Sender(ResponseBody):
    """Sender of a message."""

    kind: Literal["guardian", "child"]
    guardian_id: uuid.UUID | None = None
    name: str = Field(examples=["Mama"])


class Recipient(ResponseBody):
    """State of a message at one recipient."""

    kind: Literal["child", "guardian"]
    guardian_id: uuid.UUID | None = None
    name: str = Field(examples=["Mei"])
    state: State
    detail: str | None = Field(default=None, description="reason of a rejection")
    changed_at: datetime


class Voice(ResponseBody):
    """Audio of a voice message; its bytes are at `/audio`."""

    state: Literal["pending", "ready", "unplayable", "gone"] = Field(
        description="pending: not decoded yet; unplayable: decoding failed; gone: deleted by retention"
    )
    duration_ms: int | None = Field(description="as decoded; while pending, as stated by the watch", examples=[4400])
    bytes: int = Field(description="size of the original", examples=[7032])
    bars: list[int] | None = Field(description="44 heights of the waveform, 0 to 100; null until ready")
    kept: bool = Field(description="the caller keeps it beyond its retention")
    expires_at: datetime = Field(description="time of deletion, unless a guardian keeps it")
    kept_until: datetime | None = Field(description="time of deletion; null: a guardian keeps it")


class MessageResponse(ResponseBody):
    """A message as seen by the caller."""

    message_id: uuid.UUID
    child_id: uuid.UUID
    seq: int = Field(description="the server's order of this conversation; may have gaps", examples=[12])
    direction: Literal["to_child", "to_family"]
    kind: Literal["text", "emoji", "voice"]
    text: str | None = None
    emoji: str | None = None
    voice: Voice | None = None
    sender: Sender = Field(alias="from")
    sent_at: datetime | None = Field(
        description="time of recording or writing by the clock of the watch or phone; null if unknown"
    )
    received_at: datetime
    expires_at: datetime
    recipients: list[Recipient]
    my_state: State | None = Field(default=None, description="the caller's own state, for messages from the child")


class MessagesResponse(ResponseBody):
    """A page of messages, newest first; `next_cursor` is null at the start of the conversation."""

    messages: list[MessageResponse]
    next_cursor: str | None


class MessageStateRequest(RequestBody):
    """State of the child's message on the caller's phone."""

    state: Literal["delivered", "played"]


class EndingRecordingsResponse(ResponseBody):
    """Recordings of the caller that are deleted within ten days, because nobody keeps them."""

    count: int = Field(description="recordings that end within ten days", examples=[3])
    first_ends_at: datetime | None = Field(description="when the first is deleted; null: none ends")


class KeptRecordingsResponse(ResponseBody):
    """How many recordings this request kept."""

    kept: int = Field(description="recordings that are kept from now on", examples=[3])


class KeepVoiceRequest(RequestBody):
    """Whether the caller keeps a voice message beyond its retention."""

    kept: bool


class NewUploadRequest(RequestBody):
    """Size and hash of a recording to upload in parts."""

    bytes: Annotated[int, Field(ge=1, le=2**31 - 1, examples=[182_344])]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="hex, of the whole recording")]


class UploadResponse(ResponseBody):
    """Progress of an upload; the next part begins at `offset`."""

    upload_id: uuid.UUID
    bytes: int
    offset: int
    part_max_bytes: int
    expires_at: datetime
    message_id: uuid.UUID | None = Field(description="the message created from it; null before")


class AudioLinkResponse(ResponseBody):
    """A short-lived link that plays one recording without a token, for players that send no headers."""

    url: str
    expires_at: datetime


class UnheardCount(ResponseBody):
    """Number of one child's messages that the caller has not read (all kinds) or not played (voice)."""

    child_id: uuid.UUID
    unread: int
    unplayed: int


class UnreadResponse(ResponseBody):
    """Counts for each child that the caller may message."""

    children: list[UnheardCount]
