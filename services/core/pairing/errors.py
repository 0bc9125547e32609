"""Why a pairing fails, each with a code of its own; none tells a stranger what exists."""

from __future__ import annotations

from services.core.platform.errors import CoreError, RetryLaterError


class PairingCodeUnknownError(CoreError):
    """The code is wrong, used, expired, or not this family's to use; which of them is not said."""

    code = "pairing_code_unknown"
    sentence = "The code is unknown or has expired. Look at the watch for a new one."


class PairingTriesError(RetryLaterError):
    """Too many codes entered in vain."""

    code = "pairing_too_many_tries"
    sentence = "Too many wrong codes. Wait before you try again."


class ChildHasWatchError(CoreError):
    """The child already has a watch; it must be unpaired before another is paired."""

    code = "child_has_watch"
    sentence = "This child already has a watch. Unpair it first."


class NotPairedError(CoreError):
    """The child has no watch."""

    code = "not_paired"
    sentence = "No watch is paired with this child."
