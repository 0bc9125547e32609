"""Errors of messages and uploads."""

from __future__ import annotations

from services.core.platform.errors import CoreError


class EmojiUnknownError(CoreError):
    """The emoji is not in the list that watches can draw."""

    code = "emoji_unknown"
    sentence = "The watch does not support this emoji."


class IdempotencyConflictError(CoreError):
    """The idempotency key was already used for another message."""

    code = "idempotency_key_conflict"
    sentence = "This Idempotency-Key was used for another message. Use a new key for a new message."


class InboxFullError(CoreError):
    """The inbox of the watch is full."""

    code = "inbox_full"
    sentence = "Too many messages are waiting for the watch. Try again when some have been delivered."


class NotARecipientError(CoreError):
    """The guardian is not a recipient of the message, so it cannot report a state."""

    code = "not_a_recipient"
    sentence = "This message was not sent to you."


class TooManyUploadsError(CoreError):
    """The guardian has too many unfinished uploads."""

    code = "too_many_uploads"
    sentence = "Too many uploads are unfinished. Finish one, or try again in a day."


class UploadOffsetError(CoreError):
    """The part does not begin at the end of the previous part."""

    code = "upload_offset_differs"
    sentence = "This part does not begin where the previous part ended. Continue from `offset`."

    def __init__(self, offset: int) -> None:
        super().__init__()
        self.offset = offset

    def fields(self) -> dict[str, int | str]:
        """Return the byte offset at which the next part must begin."""
        return {"offset": self.offset}


class UploadUnfinishedError(UploadOffsetError):
    """The upload was submitted as a message before all of its bytes arrived."""

    code = "upload_unfinished"
    sentence = "The upload is incomplete. Continue from `offset`."


class UploadHashError(UploadOffsetError):
    """All bytes arrived, but their hash differs from the announced hash."""

    code = "upload_hash_differs"
    sentence = "The hash of the upload differs from the announced hash. Upload it again from the start."
