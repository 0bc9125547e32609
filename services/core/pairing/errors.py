"""Errors of pairing; none reveals to a stranger which watches or children exist."""

from __future__ import annotations

from services.core.platform.errors import CoreError, RetryLaterError


class PairingCodeUnknownError(CoreError):
    """The code is wrong, used, expired, or of another family's watch; the answer does not reveal which."""

    code = "pairing_code_unknown"
    sentence = "The pairing code is unknown or has expired. Enter the code that the watch shows now."


class PairingTriesError(RetryLaterError):
    """Too many wrong codes were entered."""

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
