"""The document serves makers of apps: each field, parameter, tag and body in it says what it is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from services.api.documents import additions
from services.api.documents.additions import operation_id, problem_types
from services.api.problems import HTTP_CODES, OWN_FAULTS, STATUS
from tests.support.api_routes import app_without_database

SPEC: dict[str, Any] = app_without_database().openapi()
SCHEMAS: dict[str, Any] = SPEC["components"]["schemas"]
FOLDER = Path(additions.__file__).parent
MEND = "give the field a description=, or add it to services/api/documents/fields.json"


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, of_path in SPEC["paths"].items():
        for method, operation in of_path.items():
            yield method, path, operation


def test_every_field_has_a_description() -> None:
    silent = [
        f"{name}.{field}"
        for name, schema in SCHEMAS.items()
        for field, about in schema.get("properties", {}).items()
        if not about.get("description")
    ]
    assert not silent, f"{silent}: {MEND}"
    assert not [name for name, schema in SCHEMAS.items() if not schema.get("description")], "a schema without words"


def test_every_parameter_has_a_description() -> None:
    silent = [
        f"{method} {path}: {parameter['name']}"
        for method, path, operation in operations()
        for parameter in operation.get("parameters", [])
        if not parameter.get("description")
    ]
    assert not silent, f"{silent}: {MEND}"


def test_every_request_body_has_an_example_that_fits_it() -> None:
    seen = 0
    for method, path, operation in operations():
        for media_type, media in operation.get("requestBody", {}).get("content", {}).items():
            assert media.keys() & {"example", "examples"}, (
                f"{method} {path} ({media_type}) has no example: give each required field examples=[...], or add the "
                "schema to services/api/documents/examples.json"
            )
            if media_type == "application/json":
                validator = jsonschema.Draft202012Validator(
                    {**media["schema"], "components": SPEC["components"]},
                    format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
                )
                faults = [error.message for error in validator.iter_errors(media["example"])]
                assert not faults, f"{method} {path}: {faults}"
                seen += 1
    assert seen > 50


def test_every_tag_is_described_and_every_operation_has_one() -> None:
    described = {tag["name"]: tag["description"] for tag in SPEC["tags"]}
    used = Counter(tag for _, _, operation in operations() for tag in operation["tags"])
    assert used.keys() == described.keys(), "services/api/documents/tags.json holds the tags"
    assert all(described.values())
    assert all(len(operation["tags"]) == 1 for _, _, operation in operations())
    assert max(used.values()) <= 20, "a tag is one subject"


def test_ids_of_operations_depend_on_method_and_path_alone() -> None:
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert ids == [operation_id(method, path) for method, path, _ in operations()]
    assert len({*ids}) == len(ids)
    assert operation_id("POST", "/v1/auth/tokens") == "post_auth_tokens"
    assert operation_id("GET", "/v1/children/{child_id}/watch-settings") == "get_children_child_id_watch_settings"


def test_every_problem_type_is_listed() -> None:
    listed = {problem_type["code"] for problem_type in SPEC["x-problem-types"]}
    codes = {error.code for error in STATUS} | {code for code, _ in HTTP_CODES.values()}
    assert listed == codes | {code for _, code, _ in OWN_FAULTS}
    assert SCHEMAS["Problem"]["properties"]["code"]["x-codes"] == sorted(listed)
    assert all(problem["type"].endswith(problem["code"]) and problem["title"] for problem in problem_types())


@pytest.mark.parametrize("kind", ["fields", "parameters"])
def test_no_shared_description_is_left_without_its_field(kind: str) -> None:
    texts = json.loads((FOLDER / "fields.json").read_text())[kind]
    if kind == "parameters":
        names = {parameter["name"] for _, _, operation in operations() for parameter in operation.get("parameters", [])}
    else:
        names = {field for schema in SCHEMAS.values() for field in schema.get("properties", {})}
        names |= {f"{name}.{field}" for name, schema in SCHEMAS.items() for field in schema.get("properties", {})}
    assert texts.keys() <= names
