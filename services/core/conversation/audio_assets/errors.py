"""Errors of audio assets."""

from __future__ import annotations

from services.core.platform.errors import CoreError, RetryLaterError


class AudioGoneError(CoreError):
    """The retention of the recording has ended and its audio was deleted."""

    code = "audio_gone"
    sentence = "The recording was deleted at the end of its retention period."


class AudioNotReadyError(RetryLaterError):
    """Another process is currently making this rendition."""

    code = "audio_not_ready"
    sentence = "The recording is being prepared. Try again in a moment."
