"""The OpenAPI document: complete, with access, examples and problems, and nothing FastAPI added by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from services.api.problems import MEDIA_TYPE, STATUS
from tests.support.api_routes import app_without_database, declared_routes
from tests.support.documented import schema_fault_of

SPEC = app_without_database().openapi()


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in SPEC["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


OPERATIONS = dict(_operations())


def test_every_route_is_in_the_document() -> None:
    # Pages for people, which no app calls.
    routes = [route for route in declared_routes(app_without_database()) if not route.path.startswith("/docs")]
    assert {str(route) for route in routes} == set(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation_says_who_may_use_it_what_it_does_and_how_it_refuses(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation["x-access"]
    assert operation["description"]
    problems = {status: answer for status, answer in operation["responses"].items() if int(status) >= 400}
    assert {"400", "413", "415", "500", "503"} <= problems.keys()
    if operation["x-access"] != "open":
        # A token that is none, and the limit of requests.
        assert {"401", "429"} <= problems.keys()
        # A signed link is its own proof.
        assert "{token}" in name or operation["security"]
    if "{" in name:
        assert "404" in problems
    if name.startswith("GET /readyz"):
        problems.pop("503")
    for answer in problems.values():
        assert list(answer["content"]) == [MEDIA_TYPE]


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_of_guardians_says_that_a_new_device_is_refused(name: str) -> None:
    rule = OPERATIONS[name]["x-access"]
    is_of_guardians = rule == "logged in" or rule.startswith(("in family", "of child"))
    assert not is_of_guardians or "403" in OPERATIONS[name]["responses"]


def test_validation_is_told_as_a_problem_and_not_in_fastapis_own_shape() -> None:
    assert "HTTPValidationError" not in SPEC["components"]["schemas"]


def test_the_problem_lists_every_code() -> None:
    listed = set(SPEC["components"]["schemas"]["Problem"]["properties"]["code"]["x-codes"])
    assert {error.code for error in STATUS} <= listed
    assert {"malformed", "too_large", "invalid_request", "internal_error", "try_again"} <= listed


def _asked() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, operation in OPERATIONS.items():
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            yield name, content["application/json"]["schema"]


@pytest.mark.parametrize(("name", "schema"), list(_asked()), ids=[name for name, _ in _asked()])
def test_examples_fit_their_own_schema(name: str, schema: dict[str, Any]) -> None:
    assert name
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if "$ref" in part:
            part = SPEC["components"]["schemas"][part["$ref"].rpartition("/")[2]]
        for example in part.get("examples", []):
            assert schema_fault_of(example, part) == ""
        waiting += [*part.get("properties", {}).values(), *part.get("anyOf", []), *part.get("oneOf", [])]
