"""Which question is asked: messages alone on the first day, one a day after that, and not now is respected."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from services.core.people.consents.rules import Part
from services.core.people.questions.rules import (
    ASK_AGAIN_AFTER,
    Asked,
    Guardian,
    Subject,
    next_question,
    offered_parts,
)

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
TODAY, YESTERDAY = date(2026, 3, 2), date(2026, 3, 1)
CURRENT = dict.fromkeys(Part, "1")
MEI = uuid.uuid4()
FIRST = Guardian(TODAY, current=CURRENT, offered=frozenset(Part) - {Part.MESSAGES})
AGREED = replace(FIRST, standing={Part.MESSAGES: "1"}, answered_on=YESTERDAY)


@pytest.mark.parametrize(
    ("guardian", "question"),
    [
        (FIRST, Asked(Subject.MESSAGES)),
        # Nothing works without it: it is asked at each opening, whatever was answered.
        (replace(FIRST, answered_on=TODAY, withdrawn=frozenset({Part.MESSAGES})), Asked(Subject.MESSAGES)),
        (replace(AGREED, answered_on=TODAY), None),
        (AGREED, Asked(Subject.LOCATION)),
        (replace(AGREED, children_due=[MEI], withdrawn=frozenset({Part.LOCATION})), Asked(Subject.CHILDS_WORD, MEI)),
        (replace(AGREED, standing={Part.MESSAGES: "1", Part.LOCATION: "1"}), Asked(Subject.SOS_PLACES)),
        (replace(AGREED, offered=frozenset({Part.MEASUREMENT})), Asked(Subject.MEASUREMENT)),
        (replace(AGREED, offered=frozenset()), None),
        (replace(AGREED, withdrawn=frozenset(Part) - {Part.MESSAGES}), None),
        (replace(AGREED, put_off_at={(Subject.LOCATION, None): NOW - timedelta(days=1)}), Asked(Subject.SOS_PLACES)),
        (replace(AGREED, put_off_at={(Subject.LOCATION, None): NOW - ASK_AGAIN_AFTER}), Asked(Subject.LOCATION)),
        (replace(AGREED, standing={Part.MESSAGES: "0"}, answered_on=TODAY), Asked(Subject.MESSAGES, is_newer=True)),
        (
            replace(AGREED, standing={Part.MESSAGES: "0"}, put_off_at={(Subject.MESSAGES, None): NOW}),
            Asked(Subject.LOCATION),
        ),
        (
            replace(AGREED, standing={Part.MESSAGES: "1", Part.SOS_PLACES: "0"}),
            Asked(Subject.SOS_PLACES, is_newer=True),
        ),
        (replace(AGREED, standing={Part.MESSAGES: "1", Part.SOS_PLACES: "0"}, answered_on=TODAY), None),
    ],
)
def test_one_question_or_none(guardian: Guardian, question: Asked | None) -> None:
    assert next_question(guardian, NOW) == question


def test_a_part_is_offered_only_where_it_means_something() -> None:
    places = {Part.LOCATION, Part.SOS_PLACES}
    assert offered_parts(may_locate=False, may_manage=False, is_primary=False) == frozenset()
    assert offered_parts(may_locate=True, may_manage=False, is_primary=False) == places
    assert offered_parts(may_locate=False, may_manage=True, is_primary=True) == places | {Part.MEASUREMENT}
