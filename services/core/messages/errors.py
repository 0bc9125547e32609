"""What can be refused of a message."""

from __future__ import annotations

from services.core.errors import CoreError


class EmojiUnknownError(CoreError):
    """An emoji that watches cannot draw."""

    code = "emoji_unknown"
    sentence = "The watch does not know this emoji."


class IdempotencyConflictError(CoreError):
    """The same key came with another message."""

    code = "idempotency_key_conflict"
    sentence = "This Idempotency-Key was used for another message. Use a new key for a new message."


class InboxFullError(CoreError):
    """Too much waits for the watch already."""

    code = "inbox_full"
    sentence = "Too many messages wait for the watch. Try again when some have arrived."


class NotARecipientError(CoreError):
    """Only who received a message says what became of it."""

    code = "not_a_recipient"
    sentence = "This message was not sent to you."
