"""What can be refused of a recording."""

from __future__ import annotations

from services.core.platform.audio.rules import CLIP_MAX_BYTES, CLIP_MAX_S
from services.core.platform.errors import CoreError, RetryLaterError


class AudioNotReadableError(CoreError):
    """Nothing in it can be decoded as a recording of a kind that is taken."""

    code = "audio_not_readable"
    sentence = "This is no recording that can be played. Record it again."


class ClipTooLongError(CoreError):
    """More than a minute."""

    code = "clip_too_long"
    sentence = "The recording is too long."

    def fields(self) -> dict[str, int | str]:
        """Return the limit in seconds."""
        return {"max_s": CLIP_MAX_S}


class ClipTooLargeError(CoreError):
    """More bytes than a minute needs."""

    code = "clip_too_large"
    sentence = "The recording has too many bytes."

    def fields(self) -> dict[str, int | str]:
        """Return the limit in bytes."""
        return {"max_bytes": CLIP_MAX_BYTES}


class DoesNotFitError(CoreError):
    """Even at the lowest bit rate it is larger than its receiver takes."""

    code = "clip_does_not_fit"
    sentence = "The recording cannot be made small enough for this receiver."


class AudioBusyError(RetryLaterError):
    """Every process that decodes has been at work for a while."""

    code = "audio_busy"
    sentence = "Too many recordings are being worked on. Try again in a moment."
