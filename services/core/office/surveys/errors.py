"""What surveys refuse."""

from __future__ import annotations

from services.core.platform.errors import CoreError


class SurveyUnknownError(CoreError):
    """No survey of this programme has this name."""

    code = "survey_unknown"
    sentence = "The programme has no survey of this name."


class SurveyPublishedError(CoreError):
    """Answers or questions for a survey whose reports stand."""

    code = "survey_published"
    sentence = "The reports of this survey stand: no answer or question can be added any more."
