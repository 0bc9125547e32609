"""Errors of surveys."""

from __future__ import annotations

from services.core.platform.errors import CoreError


class SurveyUnknownError(CoreError):
    """No survey of the programme has this name."""

    code = "survey_unknown"
    sentence = "The programme has no survey with this name."


class SurveyEmptyError(CoreError):
    """Fewer than five families have answered the same question in both waves: there is nothing to publish."""

    code = "survey_empty"
    sentence = "Fewer than five families have answered a question both before and after. Import the answers first."


class SurveyPublishedError(CoreError):
    """The survey's reports are published, so it accepts no more answers or questions."""

    code = "survey_published"
    sentence = "The reports of this survey are published. No answer or question can be added."


class SurveyUnconfirmedError(CoreError):
    """Publication cannot be undone, and nobody has confirmed these answers."""

    code = "survey_unconfirmed"
    sentence = (
        "Publication cannot be undone. `pairs` families or more answered both before and after. "
        "To publish their answers, send `confirm` as given here."
    )

    def __init__(self, pairs: int, confirm: str) -> None:
        super().__init__()
        self.pairs = pairs
        self.confirm = confirm

    def fields(self) -> dict[str, int | str]:
        """Return the number of families, rounded down to fives, and the value to send as ``confirm``."""
        return {"pairs": self.pairs, "confirm": self.confirm}
