"""Messages over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from services.api.schemas.base import Asked, Told

State = Literal["queued", "stored", "delivered", "played", "expired", "rejected"]


class TextMessage(Asked):
    """A text for the child."""

    kind: Literal["text"]
    text: Annotated[str, Field(min_length=1, max_length=2000, examples=["Good night, sleep well!"])]


class EmojiMessage(Asked):
    """An emoji for the child, by its word."""

    kind: Literal["emoji"]
    emoji: Annotated[str, Field(min_length=1, max_length=32, examples=["heart"])]


NewMessage = Annotated[TextMessage | EmojiMessage, Field(discriminator="kind")]


class Sender(Told):
    """Who sent a message."""

    kind: Literal["guardian", "child"]
    guardian_id: uuid.UUID | None = None
    name: str = Field(examples=["Mama"])


class Recipient(Told):
    """What became of a message at one recipient."""

    kind: Literal["child", "guardian"]
    guardian_id: uuid.UUID | None = None
    name: str = Field(examples=["Mei"])
    state: State
    detail: str | None = Field(default=None, description="why it was rejected")
    changed_at: datetime


class Message(Told):
    """A message as the caller may see it."""

    message_id: uuid.UUID
    child_id: uuid.UUID
    seq: int = Field(description="the server's order of this conversation; may have holes", examples=[12])
    direction: Literal["to_child", "to_family"]
    kind: Literal["text", "emoji"]
    text: str | None = None
    emoji: str | None = None
    sender: Sender = Field(serialization_alias="from")
    sent_at: datetime | None = Field(description="when the watch says it was made, if it knew the time")
    received_at: datetime
    expires_at: datetime
    recipients: list[Recipient]
    my_state: State | None = Field(default=None, description="the caller's own state, for messages from the child")


class Page(Told):
    """Newest first; ``next_cursor`` is empty at the beginning of the conversation."""

    messages: list[Message]
    next_cursor: str | None


class MyState(Asked):
    """What the caller's phone did with a message from the child."""

    state: Literal["delivered", "played"]
