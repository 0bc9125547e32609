"""What can be refused of a message."""

from __future__ import annotations

from services.core.platform.errors import CoreError


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


class TooManyUploadsError(CoreError):
    """A phone that begins uploads and never ends them."""

    code = "too_many_uploads"
    sentence = "Too many uploads are unfinished. Finish one, or wait a day."


class UploadOffsetError(CoreError):
    """A part that does not begin where the one before ended."""

    code = "upload_offset_differs"
    sentence = "This part does not begin where the last one ended. Go on from the offset told."

    def __init__(self, offset: int) -> None:
        super().__init__()
        self.offset = offset

    def fields(self) -> dict[str, int | str]:
        """Return the byte at which the next part begins."""
        return {"offset": self.offset}


class UploadUnfinishedError(UploadOffsetError):
    """An upload that was to become a message before all of it was here."""

    code = "upload_unfinished"
    sentence = "Not all of the recording is here yet. Go on from the offset told."


class UploadHashError(UploadOffsetError):
    """All bytes came, and they are not those that were announced."""

    code = "upload_hash_differs"
    sentence = "What arrived is not what was announced. Send it again from the start."
