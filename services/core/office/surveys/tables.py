"""Tables of surveys: questions, baseline and endline answers, published reports."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import datetime, id_column, json_column, maybe_time_column, time_column


class Survey(SQLModel, table=True):
    """A set of questions that a programme asks at its start and at its end."""

    __tablename__ = "survey"
    __table_args__ = (UniqueConstraint("programme_id", "name"),)

    survey_id: uuid.UUID = id_column()
    programme_id: uuid.UUID = Field(foreign_key="programme.programme_id", ondelete="CASCADE")
    name: str = Field(max_length=80)
    created_at: datetime = time_column()
    # Lists imported, with and without answers that are stored; a confirmation of publication is of so many.
    lists_imported: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    # Time of publication: answers and reports are frozen from then on.
    published_at: datetime | None = maybe_time_column()


class SurveyQuestion(SQLModel, table=True):
    """One question; its key is the column heading in a wide list."""

    __tablename__ = "survey_question"

    survey_id: uuid.UUID = Field(primary_key=True, foreign_key="survey.survey_id", ondelete="CASCADE")
    question: str = Field(primary_key=True, max_length=30)
    # yes_no, number, scale
    kind: str = Field(max_length=10)
    label: str = Field(max_length=200)
    # Bounds of number and scale.
    least: float | None = None
    most: float | None = None


class SurveyAnswer(SQLModel, table=True):
    """One family's answer to one question in one wave; yes is 1. Deleted with the family."""

    __tablename__ = "survey_answer"
    __table_args__ = (
        ForeignKeyConstraint(
            ["survey_id", "question"], ["survey_question.survey_id", "survey_question.question"], ondelete="CASCADE"
        ),
    )

    survey_id: uuid.UUID = Field(primary_key=True)
    question: str = Field(primary_key=True, max_length=30)
    family_id: uuid.UUID = Field(primary_key=True, foreign_key="family.family_id", index=True, ondelete="CASCADE")
    # baseline, endline
    wave: str = Field(primary_key=True, max_length=10)
    answer: float
    noted_at: datetime = time_column()


class SurveyReport(SQLModel, table=True):
    """The published report of a survey for one site or for the programme; it never changes."""

    __tablename__ = "survey_report"

    survey_id: uuid.UUID = Field(primary_key=True, foreign_key="survey.survey_id", ondelete="CASCADE")
    # The id of the programme or of one of its sites.
    scope_id: uuid.UUID = Field(primary_key=True)
    # One comparison for each question, after disclosure control; no value is about a single family.
    comparisons: list[Any] = json_column(default_factory=list)
