"""What DHIS2 answers, by its documents, and what follows from it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from services.core.measurement.dhis2_imports.actions import check_ids
from services.core.measurement.dhis2_imports.errors import Dhis2IdsAmbiguousError, Dhis2IdsMalformedError
from services.core.measurement.dhis2_imports.rules import (
    CONFLICTS_KEPT,
    SENTENCES,
    Conflict,
    Problem,
    Summary,
    Verdict,
    in_batches,
    pause_before,
    read_answer,
)
from services.core.platform.settings import Settings
from tests.support.dhis2 import conflict, summary, wrapped

SITE = str(uuid.uuid4())
ELEMENT, UNIT = "fbfJHSPpUQD", "DiszpKrYNg8"


@pytest.mark.parametrize("is_new", [False, True])
def test_a_summary_is_read_alike_from_old_and_new_versions(*, is_new: bool) -> None:
    def answered(body: dict[str, Any], status: int) -> tuple[int, Any]:
        return (status, wrapped(body, status)) if is_new else (200, body)

    whole = read_answer(*answered(summary(imported=3, updated=2), 200))
    assert (whole.verdict, whole.problem) == (Verdict.TAKEN, None)
    assert (whole.summary.imported, whole.summary.updated, whole.summary.ignored) == (3, 2, 0)
    body = summary("WARNING", imported=1, ignored=2, conflicts=[conflict("aaaaaaaaaaa", "Data element not found")])
    partly = read_answer(*answered(body, 409))
    assert (partly.verdict, partly.problem) == (Verdict.CONFLICTS, Problem.CONFLICTS)
    assert partly.summary.ignored == 2
    assert partly.summary.conflicts == (Conflict("aaaaaaaaaaa", "Data element not found", "E7610"),)


@pytest.mark.parametrize(
    ("status", "body", "verdict", "problem"),
    [
        (401, {"httpStatus": "Unauthorized", "message": "Unauthorized"}, Verdict.REFUSED, Problem.LOG_IN_REFUSED),
        (403, {"message": "Access is denied"}, Verdict.REFUSED, Problem.NOT_ALLOWED),
        (404, None, Verdict.REFUSED, Problem.NO_DHIS2),
        # A page to log in, with the status of success, and the way to one.
        (200, None, Verdict.REFUSED, Problem.NO_DHIS2),
        (302, None, Verdict.REFUSED, Problem.NO_DHIS2),
        (200, ["something", "else"], Verdict.REFUSED, Problem.NO_DHIS2),
        (409, {"message": "Data set is locked"}, Verdict.REFUSED, Problem.REFUSED),
        (400, {"message": "Unexpected character"}, Verdict.REFUSED, Problem.REFUSED),
        (413, None, Verdict.REFUSED, Problem.BATCH_TOO_LARGE),
        (429, None, Verdict.LATER, Problem.BUSY),
        (408, None, Verdict.LATER, Problem.BUSY),
        (500, {"message": "java.lang.NullPointerException"}, Verdict.LATER, Problem.BUSY),
        (503, None, Verdict.LATER, Problem.BUSY),
        # A summary in an answer of 500 is none: DHIS2 rolled back.
        (500, summary(imported=3), Verdict.LATER, Problem.BUSY),
        (200, summary("ERROR"), Verdict.CONFLICTS, Problem.CONFLICTS),
    ],
)
def test_each_answer_has_a_meaning(status: int, body: object, verdict: Verdict, problem: Problem) -> None:
    answer = read_answer(status, body)
    assert (answer.verdict, answer.problem) == (verdict, problem)


def test_every_problem_has_a_sentence() -> None:
    assert SENTENCES.keys() == set(Problem)


def test_nothing_that_dhis2_says_is_kept_without_bounds() -> None:
    conflicts = [conflict(f"element{number:04}", "wrong\x1b[31m " + "x" * 900) for number in range(200)]
    answer = read_answer(409, wrapped(summary("WARNING", ignored=200, conflicts=conflicts), 409))
    assert (answer.summary.conflict_count, len(answer.summary.conflicts)) == (200, CONFLICTS_KEPT)
    assert all(len(kept.problem) <= 200 and kept.problem.isprintable() for kept in answer.summary.conflicts)
    odd = {"importCount": {"imported": "many", "updated": -1, "ignored": None}, "conflicts": "none", "status": 7}
    assert read_answer(200, odd).summary == Summary()


def test_summaries_of_batches_add_up_and_survive_being_stored() -> None:
    summary_row = Summary(1, 2, 3, 1, (Conflict("a", "b", "c"),))
    both = summary_row.plus(summary_row)
    assert both == Summary(2, 4, 6, 2, (Conflict("a", "b", "c"),))
    assert Summary.read(both.written()) == both
    assert Summary.read({}) == Summary()


def test_pauses_grow_to_an_hour_and_respect_what_dhis2_asks() -> None:
    assert [pause_before(tries, None).total_seconds() for tries in (1, 2, 3, 8, 60)] == [30, 60, 120, 3600, 3600]
    assert pause_before(1, 300) == timedelta(minutes=5)
    assert pause_before(1, 10**6) == timedelta(hours=1)
    assert read_answer(429, None, "120").retry_after_s == 120
    assert read_answer(503, None, "Wed, 21 Oct 2026 07:28:00 GMT").retry_after_s is None


def test_batches_hold_every_value_once_in_order() -> None:
    values = [{"value": str(number)} for number in range(7)]
    assert [len(batch) for batch in in_batches(values, 3)] == [3, 3, 1]
    assert [value for batch in in_batches(values, 3) for value in batch] == values


def test_ids_are_of_their_form_and_each_of_one_thing() -> None:
    check_ids({"data_elements": {"messages": ELEMENT}, "org_units": {SITE: UNIT}})
    for wrong in (
        {},
        {"data_elements": {}, "org_units": {SITE: UNIT}},
        {"data_elements": {"messages": "short"}, "org_units": {SITE: UNIT}},
        {"data_elements": {"messages": 7}, "org_units": {SITE: UNIT}},
        {"data_elements": {"Messages!": ELEMENT}, "org_units": {SITE: UNIT}},
        {"data_elements": {"messages": ELEMENT}, "org_units": {"Dongguan": UNIT}},
        {"data_elements": [ELEMENT], "org_units": {SITE: UNIT}},
        {"data_elements": {"messages": ELEMENT}, "org_units": {SITE: UNIT}, "more": {}},
    ):
        with pytest.raises(Dhis2IdsMalformedError):
            check_ids(wrong)
    for twice in (
        {"data_elements": {"messages": ELEMENT, "calls": ELEMENT}, "org_units": {SITE: UNIT}},
        {"data_elements": {"messages": ELEMENT}, "org_units": {SITE: UNIT, str(uuid.uuid4()): UNIT}},
    ):
        with pytest.raises(Dhis2IdsAmbiguousError):
            check_ids(twice)


def test_credentials_go_to_safe_addresses_only() -> None:
    token: dict[str, Any] = {"dhis2_token": "d2pat_secret"}
    assert (
        Settings(dhis2_url="https://dhis2.example.org/play/api/", **token).dhis2_url == "https://dhis2.example.org/play"
    )
    assert Settings(dhis2_url="http://127.0.0.1:8085", **token).dhis2_url == "http://127.0.0.1:8085"
    refused: list[dict[str, Any]] = [
        {"dhis2_url": "http://dhis2.example.org", **token},
        {"dhis2_url": "dhis2.example.org", **token},
        {"dhis2_url": "https://user:word@dhis2.example.org", **token},
        {"dhis2_url": "https://dhis2.example.org?x=1", **token},
        {"dhis2_url": "https://dhis2.example.org"},
        {"dhis2_url": "https://dhis2.example.org", "dhis2_user": "importer"},
        {"dhis2_url": "https://dhis2.example.org", "dhis2_user": "importer", "dhis2_password": "word", **token},
    ]
    for wrong in refused:
        with pytest.raises(ValidationError) as raised:
            Settings(**wrong)
        assert "d2pat_secret" not in repr(raised.value.errors(include_input=False))
    assert "d2pat_secret" not in repr(Settings(dhis2_url="https://dhis2.example.org", **token))
