"""Errors of audio assets."""

from __future__ import annotations

from services.core.platform.errors import CoreError, RetryLaterError


class AudioGoneError(CoreError):
    """The retention of the recording has ended and its audio was deleted."""

    code = "audio_gone"
    sentence = "This recording was kept for its time and is no longer there."


class AudioNotReadyError(RetryLaterError):
    """Another process is currently making this rendition."""

    code = "audio_not_ready"
    sentence = "The recording is being made ready. Try again in a moment."
