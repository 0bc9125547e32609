"""Errors of families, children, guardians, invitations, and of the office's operations on them."""

from __future__ import annotations

from services.core.platform.errors import CoreError


class NotFoundError(CoreError):
    """The object does not exist or belongs to another family; the response does not say which."""

    code = "not_found"
    sentence = "This does not exist."


class RightMissingError(CoreError):
    """The guardian is a member of the family without the required right."""

    code = "right_missing"
    sentence = "You do not have the right to do this. A guardian who manages the family can grant it."

    def __init__(self, right: str) -> None:
        super().__init__()
        self.right = right

    def fields(self) -> dict[str, int | str]:
        """Return the missing right: message, locate, manage."""
        return {"right": self.right}


class RightNotYoursError(CoreError):
    """A guardian tried to grant a right without having it."""

    code = "right_not_yours"
    sentence = "You can only grant rights that you have yourself."


class PrimaryGuardianError(CoreError):
    """The primary guardian cannot be removed, be restricted by others, or leave."""

    code = "primary_guardian"
    sentence = "The primary guardian cannot be removed and always manages the family."


class BirthYearInvalidError(CoreError):
    """The year or date of birth is in the future or more than 18 years ago."""

    code = "birth_year_invalid"
    sentence = "The year of birth must be within the last 18 years."


class RelationUnknownError(CoreError):
    """The relation is not in the closed list."""

    code = "relation_unknown"
    sentence = "Choose the relation from the list."


class FamilyFullError(CoreError):
    """A limit on children, guardians or standing invitations is reached."""

    code = "family_full"
    sentence = "This family has the maximum number of children, guardians or invitations."

    def __init__(self, of: str, most: int) -> None:
        super().__init__()
        self.of = of
        self.most = most

    def fields(self) -> dict[str, int | str]:
        """Return the limited noun and the limit."""
        return {"of": self.of, "most": self.most}


class AlreadyGuardianError(CoreError):
    """The phone belongs to a guardian of this family."""

    code = "already_guardian"
    sentence = "This phone already belongs to a guardian of this family."


class InvitationExistsError(CoreError):
    """The phone already has a standing invitation."""

    code = "invitation_exists"
    sentence = "This phone is already invited. Revoke that invitation to change it."


class InvitationEndedError(CoreError):
    """The invitation was accepted, declined, revoked, or has expired."""

    code = "invitation_ended"
    sentence = "This invitation is no longer valid. Ask for a new one."

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason

    def fields(self) -> dict[str, int | str]:
        """Return the reason for the end."""
        return {"reason": self.reason}


class TrainingUnknownError(CoreError):
    """The training is not in the closed list."""

    code = "training_unknown"
    sentence = "The training must be one of watch, migrant_parents, family_day, parenting, online_safety, refresher."


class EndReasonUnknownError(CoreError):
    """The reason is not in the closed list."""

    code = "end_reason_unknown"
    sentence = "The reason must be one of left_factory, moved_away, watch_returned, declined, child_grown, other."


class FamilyUnknownError(CoreError):
    """No family with this code is enrolled."""

    code = "family_unknown"
    sentence = "No family with this code is enrolled."


class HelpKindUnknownError(CoreError):
    """The kind of help is not in the closed list."""

    code = "help_kind_unknown"
    sentence = "The kind of help must be one of broken, lost, worried."


class SecondPersonNeededError(CoreError):
    """The approver is not a second person."""

    code = "second_person_needed"
    sentence = "This needs the approval of another person."


class RecoveryPaperError(CoreError):
    """The document's number or the form's number differs from the one on record for the family."""

    code = "recovery_paper_differs"
    sentence = "This does not match the family's enrolment. Check the document again."


class RecoveryDocumentNeededError(CoreError):
    """No form of the family is on record, and the request names no other document."""

    code = "recovery_document_needed"
    sentence = "No form of this family is on record. Enter the document that you have seen, and its number."


class RecoveryPhoneTakenError(CoreError):
    """The new number already belongs to an account."""

    code = "recovery_phone_taken"
    sentence = "This number already belongs to an account."


class RecoveryStandsError(CoreError):
    """The family has another recovery that has not ended."""

    code = "recovery_stands"
    sentence = "Another change of this family's account is pending."


class RecoveryEndedError(CoreError):
    """The recovery was contested, withdrawn, completed, or already approved."""

    code = "recovery_ended"
    sentence = "This change has already been decided."


class HandOutClosedError(CoreError):
    """No hand-out with this code is open, or its code budget is used up."""

    code = "hand_out_closed"
    sentence = "This hand-out is not open. Ask the staff."


class HandOutOfColleagueError(CoreError):
    """Only the person who opened a hand-out can prolong it."""

    code = "hand_out_of_colleague"
    sentence = "A colleague opened this hand-out. Only the person who opened it can prolong it."


class HandOutTooLongError(CoreError):
    """The hand-out would be open for longer than six hours."""

    code = "hand_out_too_long"
    sentence = "A hand-out can be open for six hours from its opening. Open another one."


class SlipRefusedError(CoreError):
    """The slip is used, void, or of another phone, or its hand-out is over; the response does not say which."""

    code = "slip_refused"
    sentence = "This slip is not valid for this phone number. Ask the staff for another one."


class BreakGlassClosedError(CoreError):
    """The case is not approved, has expired, or was requested by another staff member."""

    code = "break_glass_closed"
    sentence = "This case is not approved, not yours, or its hour is over."
