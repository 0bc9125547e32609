"""How deep a body may nest: counted on its bytes, whatever stands in its strings."""

from __future__ import annotations

import json

import pytest

from services.api.json_bodies import JSON_MAX_DEPTH, is_too_deep, judge_json
from services.api.problems import BODY_TOO_DEEP, DUPLICATE_KEY


def _nested(depth: int, opening: str = "[", closing: str = "]") -> bytes:
    return (opening * depth + "1" + closing * depth).encode()


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_what_nests_as_deep_as_allowed_is_read_and_one_level_more_is_not(opening: str, closing: str) -> None:
    fits = JSON_MAX_DEPTH // (opening.count("[") + opening.count("{"))
    assert judge_json("application/json", _nested(fits, opening, closing)) is None
    assert judge_json("application/json", _nested(fits + 1, opening, closing)) == BODY_TOO_DEEP


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"text": "[{" * 400}).encode(),
        json.dumps({"text": '"[{\\"' * 400}).encode(),
        json.dumps({"[{" * 400: "\\"}).encode(),
        b"[" + b"[]," * 400 + b"[]]",
        b"[" + b"{}," * 400 + b"{}]",
    ],
)
def test_what_stands_in_strings_or_side_by_side_is_no_depth(body: bytes) -> None:
    json.loads(body)
    assert judge_json("application/json", body) is None


@pytest.mark.parametrize(
    "body",
    [b"[" * 60_000, b'{"a":' * 12_000, b'"' + b"\\" * 60_000, b'["a' * 20_000, b"\xff[" * 30_000],
)
def test_what_is_no_json_at_all_is_judged_too(body: bytes) -> None:
    assert judge_json("application/json", body) is not None


def test_closing_what_was_never_opened_hides_no_depth() -> None:
    # Where a parser stops, nothing behind it is read; what comes before is counted.
    assert not is_too_deep(b"]" * 40 + b"[" * 40)
    assert judge_json("application/json", b"]" * 40 + b"[" * 40) is not None


@pytest.mark.parametrize(
    "body", [b'{"a": 1, "a": 1}', b'{"b": {"a": 1, "a": 2}}', b'[{"a": 1, "\\u0061": 2}]', b'{"": 0, "": 0}']
)
def test_a_key_that_comes_twice_is_refused(body: bytes) -> None:
    assert judge_json("application/json", body) == DUPLICATE_KEY


@pytest.mark.parametrize("body", [b'{"a": {"a": 1}}', b'[{"a": 1}, {"a": 1}]', b'{"a": 1, "A": 1}', b"{}"])
def test_a_key_may_come_again_in_another_object(body: bytes) -> None:
    assert judge_json("application/json", body) is None
