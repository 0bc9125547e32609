"""Errors of opening, resetting and approving accounts of staff."""

from __future__ import annotations

from datetime import datetime

from services.core.platform.errors import CoreError


class ApproverTooNewError(CoreError):
    """The account was opened, promoted or reset too recently to approve this."""

    code = "approver_too_new"
    sentence = "Your account cannot approve this yet: it was opened, promoted or reset within the last 7 days."

    def __init__(self, approves_from: datetime) -> None:
        super().__init__()
        self.approves_from = approves_from

    def fields(self) -> dict[str, int | str]:
        """Return when the account can first approve."""
        return {"approves_from": self.approves_from.isoformat()}


class RoleOfFactoryError(CoreError):
    """The factory employs the person, so only the role ``factory`` is allowed."""

    code = "role_of_factory"
    sentence = "An employee of the factory can only have the role factory."


class StaffPhoneNeededError(CoreError):
    """The account has no phone number for its first password."""

    code = "staff_phone_needed"
    sentence = "Enter the colleague's mobile number: the first password is sent there."


class StaffRequestStandsError(CoreError):
    """Another request about the same account waits for approval."""

    code = "staff_request_stands"
    sentence = "Another request about this account is waiting for approval."


class StaffRequestEndedError(CoreError):
    """The request was approved or withdrawn, is older than 7 days, or its author may no longer make it."""

    code = "staff_request_ended"
    sentence = "This request is no longer valid. Make a new one."
