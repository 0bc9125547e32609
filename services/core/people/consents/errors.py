"""What consent refuses, and what is refused without it."""

from __future__ import annotations

from services.core.platform.errors import CoreError


class ConsentRequiredError(CoreError):
    """Nothing of this kind is stored or shown before the guardian's consent."""

    code = "consent_required"
    sentence = "Read and give your consent first."

    def __init__(self, part: str) -> None:
        super().__init__()
        self.part = part

    def fields(self) -> dict[str, int | str]:
        """Return the part of consent that is missing."""
        return {"part": self.part}


class ConsentTextUnknownError(CoreError):
    """There is no such text, or it is not the one asked for today."""

    code = "consent_text_unknown"
    sentence = "This is not the consent text of today. Read the current one and answer that."

    def __init__(self, part: str, current_version: str) -> None:
        super().__init__()
        self.part = part
        self.current_version = current_version

    def fields(self) -> dict[str, int | str]:
        """Return the part and the version that is asked for now."""
        return {"part": self.part, "current_version": self.current_version}


class ConsentProofError(CoreError):
    """What proves the consent does not go with how it was given."""

    code = "consent_proof_wrong"
    sentence = "Spoken consent needs a witness, consent on paper a witness and the form's number, the app neither."

    def __init__(self, how: str, field: str) -> None:
        super().__init__()
        self.how = how
        self.field = field

    def fields(self) -> dict[str, int | str]:
        """Return how consent was given and the field that is missing or has no place there."""
        return {"how": self.how, "field": self.field}


class AgreementNotDueError(CoreError):
    """The child is too young, or its date of birth is not known: the guardian's consent is what counts."""

    code = "agreement_not_due"
    sentence = "A child's own agreement is recorded from the age that the law of its country names."


class ChildRefusedError(CoreError):
    """The child itself took back that it is located, and is of the age at which the law asks for its word."""

    code = "child_refused"
    sentence = "The child has taken its own word back. Location stays off until the child agrees again."
