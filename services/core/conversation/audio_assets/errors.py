"""What can be refused of a clip."""

from __future__ import annotations

from services.core.platform.errors import CoreError, RetryLaterError


class AudioGoneError(CoreError):
    """Voice is kept for a time; this one's is over."""

    code = "audio_gone"
    sentence = "This recording was kept for its time and is no longer there."


class AudioNotReadyError(RetryLaterError):
    """Another process is making this rendition at this moment."""

    code = "audio_not_ready"
    sentence = "The recording is being made ready. Try again in a moment."
