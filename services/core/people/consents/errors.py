"""Errors of consents, and the errors for operations without consent."""

from __future__ import annotations

from services.core.platform.errors import CoreError


class ConsentRequiredError(CoreError):
    """Data of this kind is neither stored nor shown before the guardian's consent."""

    code = "consent_required"
    sentence = "Read the consent text and give your consent first."

    def __init__(self, part: str) -> None:
        super().__init__()
        self.part = part

    def fields(self) -> dict[str, int | str]:
        """Return the missing part of consent."""
        return {"part": self.part}


class ConsentTextUnknownError(CoreError):
    """The consent text does not exist or is not the current one."""

    code = "consent_text_unknown"
    sentence = "This consent text is out of date. Read the current text and consent to it."

    def __init__(self, part: str, current_version: str) -> None:
        super().__init__()
        self.part = part
        self.current_version = current_version

    def fields(self) -> dict[str, int | str]:
        """Return the part and its current version."""
        return {"part": self.part, "current_version": self.current_version}


class ConsentProofError(CoreError):
    """The proof does not match the way in which consent was given."""

    code = "consent_proof_wrong"
    sentence = "Spoken consent needs a witness, paper consent also the form's number, consent in the app neither."

    def __init__(self, how: str, field: str) -> None:
        super().__init__()
        self.how = how
        self.field = field

    def fields(self) -> dict[str, int | str]:
        """Return how consent was given, and the field that is missing or not accepted."""
        return {"how": self.how, "field": self.field}


class AgreementNotDueError(CoreError):
    """The child is too young, or its date of birth is unknown: the guardian's consent applies."""

    code = "agreement_not_due"
    sentence = "A child's own agreement can be recorded only from the age that the law of its country sets."


class ChildRefusedError(CoreError):
    """The child withdrew its agreement to location, and its age makes that agreement mandatory."""

    code = "child_refused"
    sentence = "The child has withdrawn its agreement. Location stays off until the child agrees again."
