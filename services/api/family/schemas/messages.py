"""Messages over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from services.api.schema_base import RequestBody, ResponseBody

State = Literal["queued", "stored", "delivered", "played", "expired", "rejected"]


class TextMessageRequest(RequestBody):
    """A text for the child."""

    kind: Literal["text"]
    text: Annotated[str, Field(min_length=1, max_length=2000, examples=["Good night, sleep well!"])]


class EmojiMessageRequest(RequestBody):
    """An emoji for the child, by its word."""

    kind: Literal["emoji"]
    emoji: Annotated[str, Field(min_length=1, max_length=32, examples=["heart"])]


NewMessageRequest = Annotated[TextMessageRequest | EmojiMessageRequest, Field(discriminator="kind")]


class Sender(ResponseBody):
    """Who sent a message."""

    kind: Literal["guardian", "child"]
    guardian_id: uuid.UUID | None = None
    name: str = Field(examples=["Mama"])


class Recipient(ResponseBody):
    """What became of a message at one recipient."""

    kind: Literal["child", "guardian"]
    guardian_id: uuid.UUID | None = None
    name: str = Field(examples=["Mei"])
    state: State
    detail: str | None = Field(default=None, description="why it was rejected")
    changed_at: datetime


class Voice(ResponseBody):
    """The sound of a voice message; its bytes are at ``/audio``."""

    state: Literal["pending", "ready", "unplayable", "gone"] = Field(
        description="pending: not decoded yet; unplayable: it cannot be decoded; gone: its time is over"
    )
    duration_ms: int | None = Field(description="found by decoding; while pending what the watch said", examples=[4400])
    bytes: int = Field(description="of the original", examples=[7032])
    bars: list[int] | None = Field(description="44 heights of the waveform, 0 to 100, once ready")
    kept: bool = Field(description="the caller keeps it beyond its time")
    expires_at: datetime = Field(description="when the sound is deleted unless a guardian keeps it")


class MessageResponse(ResponseBody):
    """A message as the caller may see it."""

    message_id: uuid.UUID
    child_id: uuid.UUID
    seq: int = Field(description="the server's order of this conversation; may have holes", examples=[12])
    direction: Literal["to_child", "to_family"]
    kind: Literal["text", "emoji", "voice"]
    text: str | None = None
    emoji: str | None = None
    voice: Voice | None = None
    sender: Sender = Field(serialization_alias="from")
    sent_at: datetime | None = Field(description="when the watch says it was made, if it knew the time")
    received_at: datetime
    expires_at: datetime
    recipients: list[Recipient]
    my_state: State | None = Field(default=None, description="the caller's own state, for messages from the child")


class MessagesResponse(ResponseBody):
    """Newest first; ``next_cursor`` is empty at the beginning of the conversation."""

    messages: list[MessageResponse]
    next_cursor: str | None


class MessageStateRequest(RequestBody):
    """What the caller's phone did with a message from the child."""

    state: Literal["delivered", "played"]


class KeepVoiceRequest(RequestBody):
    """Whether the caller keeps a voice message beyond its time."""

    kept: bool


class NewUploadRequest(RequestBody):
    """What is to be sent in parts."""

    bytes: Annotated[int, Field(ge=1, le=2**31 - 1, examples=[182_344])]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="hex, of all bytes")]


class UploadResponse(ResponseBody):
    """How far an upload is; the next part begins at ``offset``."""

    upload_id: uuid.UUID
    bytes: int
    offset: int
    part_max_bytes: int
    expires_at: datetime
    message_id: uuid.UUID | None = Field(description="the message it has become")


class AudioLinkResponse(ResponseBody):
    """An address that plays one recording for some minutes, without a token; for players that send no headers."""

    url: str
    expires_at: datetime


class UnheardCount(ResponseBody):
    """What the caller has not read (all kinds) or played (voice) of one child."""

    child_id: uuid.UUID
    unread: int
    unplayed: int


class UnreadResponse(ResponseBody):
    """Every child of the caller's families."""

    children: list[UnheardCount]
