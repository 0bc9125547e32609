"""Errors of a guardian's change of number."""

from __future__ import annotations

from services.core.platform.errors import CoreError


class NumberNeedsOfficeError(CoreError):
    """The guardian has no PIN."""

    code = "number_needs_office"
    sentence = "Without a PIN only the programme's office can change your number."


class NumberTakenError(CoreError):
    """The new number belongs to an account already, or is the guardian's own."""

    code = "number_taken"
    sentence = "This number already has an account."


class NumberChangeWaitingError(CoreError):
    """A change of this guardian's number is waiting already."""

    code = "number_change_waiting"
    sentence = "A change of your number is already waiting. Withdraw it before you ask for another one."


class NumberChangeEndedError(CoreError):
    """No change of number is waiting."""

    code = "number_change_ended"
    sentence = "No change of your number is waiting."
