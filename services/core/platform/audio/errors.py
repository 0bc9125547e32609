"""Errors of recordings."""

from __future__ import annotations

from services.core.platform.audio.rules import CLIP_MAX_BYTES, CLIP_MAX_S
from services.core.platform.errors import CoreError, RetryLaterError


class AudioNotReadableError(CoreError):
    """It cannot be decoded as a recording of an accepted kind."""

    code = "audio_not_readable"
    sentence = "The recording cannot be decoded. Record it again."


class ClipTooLongError(CoreError):
    """It is longer than a minute."""

    code = "clip_too_long"
    sentence = "The recording is too long."

    def fields(self) -> dict[str, int | str]:
        """Return the limit in seconds."""
        return {"max_s": CLIP_MAX_S}


class ClipTooLargeError(CoreError):
    """It has more bytes than a minute needs."""

    code = "clip_too_large"
    sentence = "The recording is too large."

    def fields(self) -> dict[str, int | str]:
        """Return the limit in bytes."""
        return {"max_bytes": CLIP_MAX_BYTES}


class DoesNotFitError(CoreError):
    """Even at the lowest bit rate it exceeds the receiver's limit."""

    code = "clip_does_not_fit"
    sentence = "The recording is too large for this receiver at every available quality."


class AudioBusyError(RetryLaterError):
    """All decoding processes have been busy for a while."""

    code = "audio_busy"
    sentence = "Too many recordings are being processed. Try again in a moment."
