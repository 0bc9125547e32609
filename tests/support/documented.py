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
    try:
        jsonschema.validate(
            answer.json(),
            {**schema, "components": _document()["components"]},
            jsonschema.Draft202012Validator,
            format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
        )
    except jsonschema.ValidationError as error:
        return f"{error.json_path}: {error.message}"
    return ""
