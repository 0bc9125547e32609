"""Valid message bodies, and the state machine of a recipient. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from services.core.conversation.messages.errors import EmojiUnknownError
from services.core.platform.text_rules import MESSAGE, check_text

# The words of the watch protocol's list, in its order; a test compares both.
EMOJI = frozenset(
    {
        "heart", "smile", "laugh", "hug", "kiss", "star", "thumbs_up", "clap", "wave", "ok", "sad", "angry",
        "surprised", "sleepy", "sick", "moon", "sun", "rainbow", "flower", "cake", "rice", "ball", "gift", "book",
        "school", "home", "cat", "dog",
    }
)  # fmt: skip


# As for watches: an earlier time means a clock that was never set.
_MISDATED_AFTER: Final = timedelta(days=3_650)


def made_before_receipt(made_at: datetime | None, received_at: datetime) -> datetime | None:
    """Return when a phone made a message (UTC), never later than its receipt; None without a credible time.

    A phone's clock is not measured as a watch's is: the time only says how long a message waited on the phone.
    """
    if made_at is None or made_at < received_at - _MISDATED_AFTER:
        return None
    return min(made_at, received_at).astimezone(UTC)


class MessageKind(StrEnum):
    """Kind of a message's content."""

    TEXT = "text"
    EMOJI = "emoji"
    VOICE = "voice"


class RecipientState(StrEnum):
    """State of a message at one recipient.

    ``queued``: stored, no watch is paired yet. ``stored``: stored, waits for the watch. ``delivered``: the recipient's
    device has it. ``played``: heard or read. ``expired``: not delivered in time. ``rejected``: the device cannot
    accept it.
    """

    QUEUED = "queued"
    STORED = "stored"
    DELIVERED = "delivered"
    PLAYED = "played"
    EXPIRED = "expired"
    REJECTED = "rejected"


_ORDER = {
    RecipientState.QUEUED: 0,
    RecipientState.STORED: 1,
    RecipientState.REJECTED: 2,
    RecipientState.EXPIRED: 2,
    RecipientState.DELIVERED: 3,
    RecipientState.PLAYED: 4,
}


def advance(current: str, reported: str) -> RecipientState | None:
    """Return the new state, or None when the report equals the current state or is older.

    ``delivered`` after ``expired`` or ``rejected`` is accepted, because the recipient's device has the message.
    """
    if _ORDER[RecipientState(reported)] > _ORDER[RecipientState(current)]:
        return RecipientState(reported)
    return None


def delivered_at(state: RecipientState, before: datetime | None, now: datetime) -> datetime | None:
    """Return when the recipient's device received the message, once its state is ``state``; the first time stays."""
    is_there = state in {RecipientState.DELIVERED, RecipientState.PLAYED}
    return now if is_there and before is None else before


def played_at(state: RecipientState, before: datetime | None, now: datetime) -> datetime | None:
    """Return when the recipient heard or read the message, once its state is ``state``."""
    return now if state is RecipientState.PLAYED else before


@dataclass(frozen=True)
class Body:
    """Content of a message: a text, the word of an emoji, or the SHA-256 (hex) of a recording."""

    kind: MessageKind
    content: str

    @property
    def fingerprint(self) -> str:
        """Return the SHA-256 (hex) of kind and content, which identifies a retry."""
        canonical = json.dumps([self.kind.value, self.content], ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


def text_body(content: str) -> Body:
    """Return a text as a body, unchanged.

    Raises TextNotAllowedError: empty, over 500 characters, NUL, lone surrogates, control characters.
    """
    return Body(MessageKind.TEXT, check_text("text", content, MESSAGE))


def emoji_body(word: str) -> Body:
    """Return an emoji, given by its word, as a body; raises EmojiUnknownError."""
    if word not in EMOJI:
        raise EmojiUnknownError
    return Body(MessageKind.EMOJI, word)


def voice_body(sha256: str) -> Body:
    """Return a recording, given by its SHA-256 (hex), as a body."""
    return Body(MessageKind.VOICE, sha256)
