"""Errors of log-in, refresh and sessions."""

from __future__ import annotations

import uuid

from services.core.platform.errors import CoreError, RetryLaterError


class PhoneInvalidError(CoreError):
    """The text is not a phone number."""

    code = "phone_invalid"
    sentence = "This is not a phone number. Write it with its country code, like +8613800138000."


class PhoneRoundedError(PhoneInvalidError):
    """A spreadsheet has rounded the number; its last digits are lost."""

    code = "phone_rounded"
    sentence = "A spreadsheet has rounded this number. Format the column as text and enter the number again."


class PhoneNotMobileError(PhoneInvalidError):
    """The number is a landline or a service number."""

    code = "phone_not_mobile"
    sentence = "This number cannot receive text messages. Enter a mobile number."


class LoginCodeWrongError(CoreError):
    """The code is not the code that was sent."""

    code = "login_code_wrong"
    sentence = "The code is wrong. Check it and try again."

    def __init__(self, tries_left: int) -> None:
        super().__init__()
        self.tries_left = tries_left

    def fields(self) -> dict[str, int | str]:
        """Return the number of attempts left."""
        return {"tries_left": self.tries_left}


class LoginCodeEndedError(CoreError):
    """The code is used, expired, replaced by a newer one, unknown, or out of attempts."""

    code = "login_code_ended"
    sentence = "This code is no longer valid. Request a new one."


class LoginCodeTooOftenError(RetryLaterError):
    """Too many codes were requested for the phone; retry later."""

    code = "login_code_too_often"
    sentence = "A code was already sent to this phone. Wait before you request another."


class AccessTokenInvalidError(CoreError):
    """The access token is missing, foreign or expired."""

    code = "access_token_invalid"
    sentence = "The access token is missing, invalid or expired. Refresh it or log in again."


class SessionEndedError(CoreError):
    """The session has ended: by log-out, or because its refresh token was used twice."""

    code = "session_ended"
    sentence = "This session has ended. Log in again."


class RefreshTokenInvalidError(CoreError):
    """The refresh token is unknown, expired or used, or its session has ended.

    ``of_whom``: the guardian or staff member of the session, for the audit log; it is not part of the response.
    """

    code = "refresh_token_invalid"
    sentence = "The session cannot be refreshed. Log in again."

    def __init__(self, of_whom: uuid.UUID | None = None) -> None:
        super().__init__()
        self.of_whom = of_whom


class BusyTooLongError(CoreError):
    """The shift would last longer than a day."""

    code = "busy_too_long"
    sentence = "The shift must end within 24 hours."


class SecondStepNeededError(CoreError):
    """The session was opened by a code alone, from an unknown device."""

    code = "second_step_needed"
    sentence = "This device is new. Confirm the log-in with your PIN, another guardian or the watch."


class SecondStepWrongError(CoreError):
    """The PIN is wrong or not set, or the watch's code is wrong, expired, or of another family's watch."""

    code = "second_step_wrong"
    sentence = "The log-in was not confirmed: the PIN or the code is wrong or expired. Check it and try again."


class StepUpRequiredError(CoreError):
    """The session gave no proof within 5 minutes; ``how``: ``pin``, or ``code`` where no PIN is set."""

    code = "step_up_required"
    sentence = "Confirm that it is you: enter your PIN, or the code that is sent to your phone if you have no PIN."

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how

    def fields(self) -> dict[str, int | str]:
        """Return the proof that is asked for."""
        return {"how": self.how}


class PinWrongError(CoreError):
    """The PIN is not the guardian's."""

    code = "pin_wrong"
    sentence = "The PIN is wrong. Check it and try again."


class LogInNotReadError(CoreError):
    """The waiting log-in was not yet shown to the approver for five seconds."""

    code = "log_in_not_read"
    sentence = "Read which phone asks and since when, then approve it."

    def __init__(self, wait_s: int) -> None:
        super().__init__()
        self.wait_s = wait_s

    def fields(self) -> dict[str, int | str]:
        """Return the seconds after which an approval counts, once the log-in is shown."""
        return {"wait_s": self.wait_s}


class LogInTooOldError(CoreError):
    """The log-in has waited for more than 30 minutes."""

    code = "log_in_too_old"
    sentence = "This log-in has waited too long to be approved. Ask the other guardian to log in again."


class NewPhonesBlockedError(CoreError):
    """The owner of the number has blocked log-ins from new phones."""

    code = "new_phones_blocked"
    sentence = "The owner of this number has blocked log-ins from new phones for 24 hours."


class StaffLogInRefusedError(CoreError):
    """The address, the password or the code is wrong, or the account has ended; the response does not say which.

    ``of_whom``: the staff member with the address, for the audit log; it is not part of the response.
    """

    code = "staff_log_in_refused"
    sentence = "Address, password or code is not correct."

    def __init__(self, of_whom: uuid.UUID | None = None) -> None:
        super().__init__()
        self.of_whom = of_whom


class StaffSetUpNeededError(CoreError):
    """The password is correct, but no authenticator app is set up yet."""

    code = "staff_set_up_needed"
    sentence = "Set up an authenticator app first."


class PasswordRefusedError(CoreError):
    """The password is too short, has too few different characters, or equals the previous one."""

    code = "password_refused"
    sentence = "A password has at least 12 characters, 5 different ones, and differs from the previous password."


class PinRefusedError(CoreError):
    """The PIN is too short, too long, not numeric, or easy to guess."""

    code = "pin_refused"
    sentence = "The PIN must have 6 to 12 digits that are neither all the same nor in sequence."
