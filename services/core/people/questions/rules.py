"""Which question a guardian is asked now. Pure.

On the hand-out day only messages are asked for: an employer stands beside the parent. Each further question comes on a
later day of the site, one a day.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from services.core.people.consents.rules import Part


class Subject(StrEnum):
    """The subjects of questions, as stable words: the parts of consent, and the child's own word."""

    MESSAGES = "messages"
    LOCATION = "location"
    CHILDS_WORD = "childs_word"
    SOS_PLACES = "sos_places"
    MEASUREMENT = "measurement"


# A question that was put off is asked again after this time.
ASK_AGAIN_AFTER: Final = timedelta(days=30)


@dataclass(frozen=True)
class Asked:
    """A question: its subject, the child it is about, and whether it replaces a consent to an older text."""

    subject: Subject
    child_id: uuid.UUID | None = None
    is_newer: bool = False


@dataclass(frozen=True)
class Guardian:
    """Input for the choice of a guardian's question in one family; days are those of the family's site."""

    today: date
    # The latest day on which the guardian gave a consent or put a question off.
    answered_on: date | None = None
    # Versions of the texts that the guardian's standing consents were given to, and of the current texts.
    standing: Mapping[Part, str] = field(default_factory=dict)
    current: Mapping[Part, str] = field(default_factory=dict)
    # Parts that the guardian consented to before and withdrew: asking again would not accept the answer.
    withdrawn: frozenset[Part] = frozenset()
    put_off_at: Mapping[tuple[Subject, uuid.UUID | None], datetime] = field(default_factory=dict)
    # Parts that mean something for this guardian's rights.
    offered: frozenset[Part] = frozenset()
    # Children whose own word is due, for guardians who may record it.
    children_due: Sequence[uuid.UUID] = ()


def next_question(guardian: Guardian, now: datetime) -> Asked | None:
    """Return the question to ask now, or None. Messages come first, also on the first day; then one a day."""
    if Part.MESSAGES not in guardian.standing:
        return Asked(Subject.MESSAGES)
    open_questions = [
        question
        for question in (*_newer_texts(guardian), *_offers(guardian))
        if not _is_put_off(guardian, question, now)
    ]
    if not open_questions:
        return None
    first = open_questions[0]
    # A newer text about messages does not wait for another day: it is about what the guardian uses at this moment.
    if guardian.answered_on == guardian.today and first.subject is not Subject.MESSAGES:
        return None
    return first


def offered_parts(*, may_locate: bool, may_manage: bool, is_primary: bool) -> frozenset[Part]:
    """Return the parts that mean something for a guardian with these rights.

    Places are for who may see them or turn location on; the first guardian alone decides about counting.
    """
    parts = {Part.LOCATION, Part.SOS_PLACES} if may_locate or may_manage else set()
    return frozenset(parts | ({Part.MEASUREMENT} if is_primary else set()))


def _newer_texts(guardian: Guardian) -> list[Asked]:
    return [
        Asked(subject, is_newer=True)
        for subject in Subject
        if subject is not Subject.CHILDS_WORD
        and (part := Part(subject.value)) in guardian.standing
        and guardian.standing[part] != guardian.current[part]
    ]


def _offers(guardian: Guardian) -> list[Asked]:
    offers = []
    for subject in Subject:
        if subject is Subject.CHILDS_WORD:
            offers += [Asked(subject, child_id) for child_id in guardian.children_due]
            continue
        part = Part(subject.value)
        if part in guardian.offered and part not in guardian.standing and part not in guardian.withdrawn:
            offers.append(Asked(subject))
    return offers


def _is_put_off(guardian: Guardian, question: Asked, now: datetime) -> bool:
    put_off_at = guardian.put_off_at.get((question.subject, question.child_id))
    return put_off_at is not None and now - put_off_at < ASK_AGAIN_AFTER
