"""What is refused about families, children, guardians and invitations."""

from __future__ import annotations

from services.core.errors import CoreError


class NotFoundError(CoreError):
    """What was named does not exist, or belongs to another family: a stranger cannot tell which."""

    code = "not_found"
    sentence = "There is no such thing here."


class RightMissingError(CoreError):
    """The guardian belongs to the family and lacks the right."""

    code = "right_missing"
    sentence = "You do not have the right to do this. A guardian who manages the family can give it."

    def __init__(self, right: str) -> None:
        super().__init__()
        self.right = right

    def fields(self) -> dict[str, int | str]:
        """Return the right that is missing: message, locate, manage."""
        return {"right": self.right}


class RightNotYoursError(CoreError):
    """A guardian tried to hand on a right that is not theirs."""

    code = "right_not_yours"
    sentence = "You can only give rights that you have yourself."


class PrimaryGuardianError(CoreError):
    """The primary guardian cannot be removed, reduced by others, or leave."""

    code = "primary_guardian"
    sentence = "The first guardian of a family stays, and keeps managing it."


class BirthYearInvalidError(CoreError):
    """No child in the programme was born then."""

    code = "birth_year_invalid"
    sentence = "The year of birth must be within the last 18 years."


class RelationUnknownError(CoreError):
    """The relation is no word of the closed list."""

    code = "relation_unknown"
    sentence = "Choose the relation from the list."


class FamilyFullError(CoreError):
    """A bound on children, guardians or standing invitations is reached."""

    code = "family_full"
    sentence = "This family has reached the largest number."

    def __init__(self, of: str, most: int) -> None:
        super().__init__()
        self.of = of
        self.most = most

    def fields(self) -> dict[str, int | str]:
        """Return what there are too many of, and the bound."""
        return {"of": self.of, "most": self.most}


class AlreadyGuardianError(CoreError):
    """The phone belongs to a guardian of this family."""

    code = "already_guardian"
    sentence = "This phone belongs to a guardian of this family already."


class InvitationExistsError(CoreError):
    """The phone is invited already."""

    code = "invitation_exists"
    sentence = "This phone is invited already. Revoke that invitation to change it."


class InvitationEndedError(CoreError):
    """The invitation was accepted, declined, revoked, or has expired."""

    code = "invitation_ended"
    sentence = "This invitation no longer stands. Ask for a new one."

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason

    def fields(self) -> dict[str, int | str]:
        """Return what ended it."""
        return {"reason": self.reason}


class TrainingUnknownError(CoreError):
    """The training is no word of the closed list."""

    code = "training_unknown"
    sentence = "The training is one of watch, migrant_parents, family_day, parenting, online_safety, refresher."


class EndReasonUnknownError(CoreError):
    """The reason is no word of the closed list."""

    code = "end_reason_unknown"
    sentence = "The reason is one of left_factory, moved_away, watch_returned, declined, child_grown, other."


class FamilyUnknownError(CoreError):
    """No family with this code is enrolled."""

    code = "family_unknown"
    sentence = "No family with this code is enrolled."


class HelpKindUnknownError(CoreError):
    """Not a kind of help."""

    code = "help_kind_unknown"
    sentence = "The kind of help is one of broken, lost, worried."
