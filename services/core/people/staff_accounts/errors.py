"""Errors of opening, resetting and approving accounts of staff."""

from __future__ import annotations

from datetime import datetime

from services.core.platform.errors import CoreError


class ApproverTooNewError(CoreError):
    """The account was opened, promoted or reset too recently to approve this."""

    code = "approver_too_new"
    sentence = "Your account is too new to approve this: it was opened, promoted or reset within 7 days."

    def __init__(self, approves_from: datetime) -> None:
        super().__init__()
        self.approves_from = approves_from

    def fields(self) -> dict[str, int | str]:
        """Return when the account can first approve."""
        return {"approves_from": self.approves_from.isoformat()}


class RoleOfFactoryError(CoreError):
    """The factory employs the person, so only the role ``factory`` is allowed."""

    code = "role_of_factory"
    sentence = "A person whom the factory employs can only have the role factory."


class StaffPhoneNeededError(CoreError):
    """The account has no phone number for its first password."""

    code = "staff_phone_needed"
    sentence = "Enter the colleague's mobile number: the first password is sent there."


class StaffRequestStandsError(CoreError):
    """Another request about the same account waits for approval."""

    code = "staff_request_stands"
    sentence = "Another request about this account waits for its approval."


class StaffRequestEndedError(CoreError):
    """The request was approved or withdrawn, is older than 7 days, or its author may no longer make it."""

    code = "staff_request_ended"
    sentence = "This request is no longer valid. Make a new one."
