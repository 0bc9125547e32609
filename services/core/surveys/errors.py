"""What surveys refuse."""

from __future__ import annotations

from services.core.errors import CoreError


class SurveyUnknownError(CoreError):
    """No survey of this programme has this name."""

    code = "survey_unknown"
    sentence = "The programme has no survey of this name."
