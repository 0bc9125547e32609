"""What consent refuses, and what is refused without it."""

from __future__ import annotations

from services.core.errors import CoreError


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
