"""What log-in, refresh and sessions refuse."""

from __future__ import annotations

import uuid

from services.core.platform.errors import CoreError, RetryLaterError


class PhoneInvalidError(CoreError):
    """The text is no phone number."""

    code = "phone_invalid"
    sentence = "This is not a phone number. Write it with its country code, like +8613800138000."


class PhoneRoundedError(PhoneInvalidError):
    """A spreadsheet has rounded the number; its last digits are gone."""

    code = "phone_rounded"
    sentence = "A spreadsheet has rounded this number: format the column as text and enter it again."


class PhoneNotMobileError(PhoneInvalidError):
    """The number is a landline or a service number."""

    code = "phone_not_mobile"
    sentence = "No text message arrives at this number. Enter a mobile number."


class LoginCodeWrongError(CoreError):
    """The code is not the one that was sent."""

    code = "login_code_wrong"
    sentence = "This is not the code that was sent. Check it and try again."

    def __init__(self, tries_left: int) -> None:
        super().__init__()
        self.tries_left = tries_left

    def fields(self) -> dict[str, int | str]:
        """Return how often the code may still be tried."""
        return {"tries_left": self.tries_left}


class LoginCodeEndedError(CoreError):
    """The code is used, expired, replaced by a newer one, tried too often, or never was."""

    code = "login_code_ended"
    sentence = "This code no longer works. Ask for a new one."


class LoginCodeTooOftenError(RetryLaterError):
    """A phone was sent codes too often; wait."""

    code = "login_code_too_often"
    sentence = "A code was sent to this phone already. Wait before you ask for another."


class AccessTokenInvalidError(CoreError):
    """No access token, or not one of ours, or an expired one."""

    code = "access_token_invalid"
    sentence = "Log in, or refresh the access token."


class SessionEndedError(CoreError):
    """The session was ended: logged out, or its refresh token was used twice."""

    code = "session_ended"
    sentence = "This session has ended. Log in again."


class RefreshTokenInvalidError(CoreError):
    """The refresh token is unknown, expired, used, or of a session that has ended.

    ``of_whom``: the guardian or staff member whose session it was, for the log; it is never told.
    """

    code = "refresh_token_invalid"
    sentence = "This session cannot be continued. Log in again."

    def __init__(self, of_whom: uuid.UUID | None = None) -> None:
        super().__init__()
        self.of_whom = of_whom


class BusyTooLongError(CoreError):
    """Nobody is on shift for more than a day."""

    code = "busy_too_long"
    sentence = "A shift ends within 24 hours."


class SecondStepNeededError(CoreError):
    """The session was opened by a code alone, from a device that is not known."""

    code = "second_step_needed"
    sentence = "This device is new. Prove with your PIN, another guardian or the watch that it is you."


class SecondStepWrongError(CoreError):
    """The PIN is wrong or none is set, or the watch's code is wrong, old, or of somebody else's watch."""

    code = "second_step_wrong"
    sentence = "This does not prove that it is you. Check it and try again."


class StaffLogInRefusedError(CoreError):
    """The address, the password, or the code is not right, or the account has ended: which of them is not said.

    ``of_whom``: the staff member whose address it is, for the log; it is never told.
    """

    code = "staff_log_in_refused"
    sentence = "Address, password or code is not right."

    def __init__(self, of_whom: uuid.UUID | None = None) -> None:
        super().__init__()
        self.of_whom = of_whom


class StaffSetUpNeededError(CoreError):
    """The password is right, and no authenticator app has been set up yet."""

    code = "staff_set_up_needed"
    sentence = "Set up an authenticator app first."


class PasswordRefusedError(CoreError):
    """Too short, too plain, or the one before."""

    code = "password_refused"
    sentence = "A password has at least 12 characters, not always the same, and is not the one before."


class PinRefusedError(CoreError):
    """Too short, too long, no digits, or among the first that anybody would try."""

    code = "pin_refused"
    sentence = "A PIN has 6 to 12 digits that are neither all the same nor in a row."
