"""Errors of surveys."""

from __future__ import annotations

from services.core.platform.errors import CoreError


class SurveyUnknownError(CoreError):
    """No survey of the programme has this name."""

    code = "survey_unknown"
    sentence = "The programme has no survey with this name."


class SurveyEmptyError(CoreError):
    """No family has answered the same question in both waves: there is nothing to publish."""

    code = "survey_empty"
    sentence = "No family has answered a question both before and after. Import the answers first."


class SurveyPublishedError(CoreError):
    """The survey's reports are published, so it accepts no more answers or questions."""

    code = "survey_published"
    sentence = "The reports of this survey are published. No answer or question can be added."
