"""Schemas for surveys: groups of at least five families, never one family's answer."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from services.api.schema_base import RequestBody, ResponseBody


class SurveyResponse(ResponseBody):
    """A survey of the site's programme."""

    survey_id: uuid.UUID
    name: str
    published_at: datetime | None = Field(description="time of publication; null: not published")


class NewQuestion(RequestBody):
    """One question; bounds are required for a scale and optional for a number."""

    question: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,29}$", examples=["talks_week"])]
    kind: Literal["yes_no", "number", "scale"]
    label: Annotated[str, Field(min_length=1, max_length=200, examples=["How often a week do you talk?"])]
    least: Annotated[float | None, Field(ge=-1e9, le=1e9)] = None
    most: Annotated[float | None, Field(ge=-1e9, le=1e9)] = None


class SurveyQuestionResponse(ResponseBody):
    """One question of a survey."""

    question: str
    kind: Literal["yes_no", "number", "scale"]
    label: str
    least: float | None
    most: float | None


class SurveyQuestionsResponse(ResponseBody):
    """The questions of a survey, by key."""

    questions: list[SurveyQuestionResponse]


class NewSurveyRequest(RequestBody):
    """A new survey, or further questions of an existing one."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    questions: Annotated[list[NewQuestion], Field(min_length=1, max_length=100)]


class SurveysResponse(ResponseBody):
    """Surveys by name."""

    surveys: list[SurveyResponse]


class SurveyPseudonym(ResponseBody):
    """A family and its pseudonym in this survey."""

    family_code: str
    pseudonym: Annotated[str, Field(examples=["P-GEZDGNBVGY3TQOJQ"])]


class SurveyPseudonymsResponse(ResponseBody):
    """A page of families by code; ``next`` is the next page's ``after``."""

    families: list[SurveyPseudonym]
    next: str | None


class ConfidenceInterval(ResponseBody):
    """A 95 % confidence interval."""

    low: float
    high: float


class Estimate(ResponseBody):
    """A share or a mean."""

    value: float
    interval: ConfidenceInterval | None


class Attrition(ResponseBody):
    """Families lost between the waves, in counts rounded to 5."""

    baseline: int
    matched: int
    lost_share: Estimate | None
    baseline_of_matched: float | None
    baseline_of_lost: float | None


class Comparison(ResponseBody):
    """One question in matched pairs, with counts rounded to 5; a suppressed comparison has no other values."""

    question: str
    kind: Literal["yes_no", "number", "scale"]
    suppressed: bool
    matched: int
    before: Estimate | None
    after: Estimate | None
    difference: Estimate | None
    bootstrap: ConfidenceInterval | None
    p_value: float | None = Field(description="exact McNemar test; yes_no only")
    attrition: Attrition | None = Field(description="null if one side has fewer than 5 families")


class SurveyReportResponse(ResponseBody):
    """The site's published report of a survey; it contains impact and no usage."""

    survey_id: uuid.UUID
    published_at: datetime | None
    comparisons: list[Comparison]
