"""What an answer of DHIS2 means, and when a request is repeated. Pure.

Source: the developer guide of DHIS2, "Data values" (https://docs.dhis2.org). Versions before 2.38 answer an import
summary; later ones wrap it as ``{"httpStatus": ..., "status": ..., "response": {summary}}`` and answer conflicts with
409.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final, Self

# Conflicts and their texts are kept as far as a person reads them.
CONFLICTS_KEPT: Final = 50
_TEXT_MAX: Final = 200
# Pauses between tries: 30 s, 1, 2, 4 ... minutes, at most an hour; and the number of tries without any progress.
_FIRST_PAUSE: Final = timedelta(seconds=30)
_LONGEST_PAUSE: Final = timedelta(hours=1)
TRIES: Final = 8
_LATER: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


class Verdict(StrEnum):
    """What happened to a batch: ``later`` is worth another try, ``refused`` is not."""

    TAKEN = "taken"
    CONFLICTS = "conflicts"
    LATER = "later"
    REFUSED = "refused"


class Problem(StrEnum):
    """Why an import did not go through; each has a sentence in :data:`SENTENCES`."""

    LOG_IN_REFUSED = "log_in_refused"
    NOT_ALLOWED = "not_allowed"
    NO_DHIS2 = "no_dhis2"
    BATCH_TOO_LARGE = "batch_too_large"
    REFUSED = "refused"
    NO_CONNECTION = "no_connection"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    CONFLICTS = "conflicts"
    NOTHING_PUBLIC = "nothing_public"


SENTENCES: Final[Mapping[Problem, str]] = {
    Problem.LOG_IN_REFUSED: "DHIS2 rejected the token or the password. Check SMARTWATCH_DHIS2_TOKEN.",
    Problem.NOT_ALLOWED: "The DHIS2 user is not allowed to import data values.",
    Problem.NO_DHIS2: "There is no DHIS2 API at SMARTWATCH_DHIS2_URL.",
    Problem.BATCH_TOO_LARGE: "DHIS2 rejected the size of a request. Lower SMARTWATCH_DHIS2_BATCH_VALUES.",
    Problem.REFUSED: "DHIS2 rejected the request.",
    Problem.NO_CONNECTION: "DHIS2 cannot be reached.",
    Problem.NO_ANSWER: "DHIS2 did not answer in time.",
    Problem.BUSY: "DHIS2 is busy or reports a fault of its own.",
    Problem.CONFLICTS: "DHIS2 does not accept all values. Correct the ids that the conflicts name, and send again.",
    Problem.NOTHING_PUBLIC: "None of these numbers is public, or none has an id of DHIS2.",
}


@dataclass(frozen=True)
class Conflict:
    """A conflict as DHIS2 words it: the object, the problem, and an error code from version 2.38 on."""

    object: str
    problem: str
    code: str = ""


@dataclass(frozen=True)
class Summary:
    """Numbers of an import summary, or of several; ``conflicts`` are the first ones of ``conflict_count``."""

    imported: int = 0
    updated: int = 0
    ignored: int = 0
    conflict_count: int = 0
    conflicts: tuple[Conflict, ...] = ()

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """Return a summary from :meth:`written`; an empty mapping is an empty summary."""
        return cls(**{**stored, "conflicts": tuple(Conflict(**conflict) for conflict in stored.get("conflicts", ()))})

    def written(self) -> dict[str, Any]:
        """Return the summary as JSON."""
        return asdict(self) | {"conflicts": [asdict(conflict) for conflict in self.conflicts]}

    def plus(self, other: Summary) -> Summary:
        """Return the summary of both; of equal conflicts one is kept."""
        conflicts = tuple(dict.fromkeys([*self.conflicts, *other.conflicts]))
        return Summary(
            self.imported + other.imported, self.updated + other.updated, self.ignored + other.ignored,
            self.conflict_count + other.conflict_count, conflicts[:CONFLICTS_KEPT],
        )  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What became of one batch; ``message`` is DHIS2's own, ``retry_after_s`` what it asked for."""

    verdict: Verdict
    problem: Problem | None = None
    summary: Summary = field(default_factory=Summary)
    message: str = ""
    retry_after_s: int | None = None


def read_answer(status: int, body: object, retry_after: str = "") -> Answer:
    """Return what DHIS2's answer means; ``body`` is its JSON, or None where there is none."""
    summary = _summary_in(body)
    message = _text(body.get("message")) if isinstance(body, dict) else ""
    if status in _LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # The other form of the header, a date, is not worth reading: pauses grow by themselves.
        wait_s = int(retry_after) if re.fullmatch(r"[0-9]{1,6}", retry_after) else None
        return Answer(Verdict.LATER, Problem.BUSY, message=message, retry_after_s=wait_s)
    if summary is not None and (status < HTTPStatus.MULTIPLE_CHOICES or status == HTTPStatus.CONFLICT):
        if summary.conflict_count or summary.ignored or status == HTTPStatus.CONFLICT:
            return Answer(Verdict.CONFLICTS, Problem.CONFLICTS, summary, message)
        return Answer(Verdict.TAKEN, summary=summary, message=message)
    return Answer(Verdict.REFUSED, _problem_of(status), message=message)


def pause_before(tries: int, retry_after_s: int | None) -> timedelta:
    """Return how long to wait after the try of this number; DHIS2 may ask for longer, at most for an hour."""
    requested = timedelta(seconds=retry_after_s or 0)
    doubled: timedelta = _FIRST_PAUSE * 2 ** min(tries - 1, 10)
    return min(max(doubled, requested), _LONGEST_PAUSE)


def in_batches(values: Sequence[dict[str, str]], size: int) -> list[Sequence[dict[str, str]]]:
    """Return the values in batches, in the same order each time."""
    return [values[start : start + size] for start in range(0, len(values), size)]


def _problem_of(status: int) -> Problem:
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return Problem.LOG_IN_REFUSED
        case HTTPStatus.FORBIDDEN:
            return Problem.NOT_ALLOWED
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return Problem.BATCH_TOO_LARGE
        case HTTPStatus.BAD_REQUEST | HTTPStatus.CONFLICT | HTTPStatus.UNPROCESSABLE_ENTITY:
            return Problem.REFUSED
        # A page to log in, another product, a redirect to one: none of them is an import summary.
        case _:
            return Problem.NO_DHIS2


def _summary_in(body: object) -> Summary | None:
    if not isinstance(body, dict):
        return None
    wrapped = body.get("response")
    summary = wrapped if isinstance(wrapped, dict) else body
    count = summary.get("importCount")
    if not isinstance(count, dict):
        return None
    listed = summary.get("conflicts")
    conflicts = [conflict for conflict in listed if isinstance(conflict, dict)] if isinstance(listed, list) else []
    read = (
        Conflict(_text(conflict.get("object")), _text(conflict.get("value")), _text(conflict.get("errorCode")))
        for conflict in conflicts
    )
    # A summary of the status ERROR without conflicts, such as that of a locked period, took nothing.
    failed = 1 if summary.get("status") == "ERROR" and not conflicts else 0
    return Summary(
        _number(count.get("imported")), _number(count.get("updated")), _number(count.get("ignored")),
        len(conflicts) + failed, tuple(dict.fromkeys(read))[:CONFLICTS_KEPT],
    )  # fmt: skip


def _number(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _text(value: object) -> str:
    """Return a text of the other system without characters that are not shown."""
    text = value if isinstance(value, str) else ""
    return "".join(character for character in text if character.isprintable())[:_TEXT_MAX]
