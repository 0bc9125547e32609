"""What is refused about erasing, exporting and contesting."""

from __future__ import annotations

from services.core.errors import CoreError


class PrimaryOnlyError(CoreError):
    """Only the first guardian of a family may do this."""

    code = "primary_only"
    sentence = "Only the first guardian of the family can do this."


class ConfirmationMissingError(CoreError):
    """What cannot be undone needs its word."""

    code = "confirmation_missing"
    sentence = "This cannot be undone. Send the word that confirms it."

    def __init__(self, word: str) -> None:
        super().__init__()
        self.word = word

    def fields(self) -> dict[str, int | str]:
        """Return the word to send as ``confirm``."""
        return {"word": self.word}


class ContestExistsError(CoreError):
    """The guardian contests this right already."""

    code = "contest_exists"
    sentence = "You contest this right already."
