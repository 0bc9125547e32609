"""Sections about measured use. They exist while the first guardian consents to measurement, and go to that guardian."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Select, exists, or_, select
from sqlmodel import SQLModel

from services.core.conversation.messages.queries import is_of_guardian
from services.core.conversation.messages.tables import Message
from services.core.measurement.tables import FamilyDay, UsagePopulation, UsageReport, WatchDay
from services.core.office.surveys.tables import Survey, SurveyAnswer, SurveyQuestion
from services.core.platform.facts.tables import Fact
from services.core.privacy.copies.records.sections import Reader, Section, rows_of, table_of

_FACT, _MESSAGE = table_of(Fact), table_of(Message)
_SURVEY, _QUESTION, _ANSWER = table_of(Survey), table_of(SurveyQuestion), table_of(SurveyAnswer)

_OF_FACT: Final = ("kind", "watch_id", "child_id", "happened_at", "received_at", "voice_ms")
_OF_ANSWER: Final = ("survey", "question", "label", "wave", "answer", "noted_at")


def _measured(model: type[SQLModel], name: str, about: str, left_out: frozenset[str], order: str) -> Section:
    """Return a section of all columns of the family's rows but those ``left_out``."""
    table = table_of(model)
    columns = tuple(column.name for column in table.c if column.name not in left_out | {"family_id"})

    def rows(reader: Reader) -> Select[Any]:
        return rows_of(table, columns, order).where(table.c.family_id == reader.family_id)

    return Section(name, about, frozenset({table.name}), columns, rows, of_primary=True)


def _facts(reader: Reader) -> Select[Any]:
    """Select the family's facts but those about a message between the child and another guardian."""
    is_message = exists().where(_MESSAGE.c.message_id == _FACT.c.ref_id)
    is_own_message = exists().where(_MESSAGE.c.message_id == _FACT.c.ref_id, is_of_guardian(reader.guardian_id))
    return rows_of(_FACT, _OF_FACT, "received_at").where(
        _FACT.c.family_id == reader.family_id, or_(~is_message, is_own_message)
    )


def _answers(reader: Reader) -> Select[Any]:
    return (
        select(
            _SURVEY.c.name.label("survey"), _ANSWER.c.question, _QUESTION.c.label, _ANSWER.c.wave, _ANSWER.c.answer,
            _ANSWER.c.noted_at,
        )
        .join(_SURVEY, _SURVEY.c.survey_id == _ANSWER.c.survey_id)
        .join(
            _QUESTION,
            (_QUESTION.c.survey_id == _ANSWER.c.survey_id) & (_QUESTION.c.question == _ANSWER.c.question),
        )
        .where(_ANSWER.c.family_id == reader.family_id)
        .order_by(_ANSWER.c.noted_at, _ANSWER.c.question, _ANSWER.c.wave)
    )  # fmt: skip


USAGE: Final = (
    _measured(
        FamilyDay, "measured_days", "how the family used its watches, a row a day of the site's time zone",
        frozenset(), "day",
    ),
    _measured(WatchDay, "watch_days", "health of a watch on a day; bit h of hours: heard at h o'clock", frozenset(),
              "day"),
    _measured(UsageReport, "watch_reports", "what watches reported of themselves", frozenset({"report_id"}),
              "received_at"),
    Section(
        "facts", "events that were counted, without content; those of other guardians' messages are left out",
        frozenset({"fact"}), _OF_FACT, _facts, of_primary=True,
    ),
    Section(
        "survey_answers", "answers of the family to surveys", frozenset({"survey_answer"}), _OF_ANSWER, _answers,
        of_primary=True,
    ),
    _measured(
        UsagePopulation, "counted_in", "the quarters, sites and cohorts in which the family was counted",
        frozenset(), "quarter",
    ),
)  # fmt: skip
