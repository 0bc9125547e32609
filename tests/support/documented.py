"""Whether an answer is what the OpenAPI document of the API says about its route."""

from __future__ import annotations

from functools import cache
from typing import Any

import httpx
import jsonschema

from tests.support.api_routes import Declared, app_without_database


@cache
def _document() -> dict[str, Any]:
    return app_without_database().openapi()


@cache
def _validator() -> jsonschema.Draft202012Validator:
    """Return a validator of the whole document, which finds the schemas that others refer to."""
    return jsonschema.Draft202012Validator(_document(), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


def schema_fault_of(value: object, schema: dict[str, Any]) -> str:
    """Return what in a value is not as a schema of the document says, or nothing."""
    # Not jsonschema.validate: it checks the schema and indexes the document once more for every value.
    error = jsonschema.exceptions.best_match(_validator().evolve(schema=schema).iter_errors(value))
    return "" if error is None else f"{error.json_path}: {error.message}"


def fault_of(route: Declared, answer: httpx.Response) -> str:
    """Return what in an answer's status, media type or body is not as documented, or nothing."""
    documented = _document()["paths"][route.path][route.method.lower()]["responses"].get(str(answer.status_code))
    if documented is None:
        return f"status {answer.status_code}"
    media = answer.headers.get("content-type", "").partition(";")[0]
    content = documented.get("content", {})
    if not content and not answer.content:
        return ""
    if media not in content:
        return f"media type {media!r}"
    schema = content[media].get("schema", {})
    if not media.endswith("json") or schema.get("format") == "binary":
        return "" if answer.content else "an empty body"
    return schema_fault_of(answer.json(), schema)
