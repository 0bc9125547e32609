"""Additions to FastAPI's OpenAPI document: who may use a route, and the codes of every problem."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from services.api.problems import HTTP_CODES, MEDIA_TYPE, OWN_FAULTS, STATUS


def access_rules(app: FastAPI) -> Iterator[tuple[str, str, list[str]]]:
    """Return method, path and access rules of every route of this API; a sound route has exactly one rule."""
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            found = [getattr(dependency.call, "access_rule", None) for dependency in context.dependant.dependencies]
            for method in sorted(context.methods or ()):
                yield method, str(context.path), [rule for rule in found if rule is not None]


# Refusals of the rules themselves, whatever the route does: no valid token, no second step, a limit.
_ACCESS_PROBLEMS: dict[int, dict[str, Any]] = {
    status: {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status in (401, 403, 429)
}


def _refused_by(rules: list[str]) -> list[int]:
    """Return the statuses with which a route's access rule itself refuses."""
    if rules == ["open"]:
        return []
    of_guardian = any(rule == "logged in" or rule.startswith(("in family", "of child")) for rule in rules)
    return [401, 403, 429] if of_guardian else [401, 429]


def describe(app: FastAPI) -> None:
    """Add ``x-access`` to each operation of the document and ``x-codes`` to the problem schema."""
    plain: Callable[[], dict[str, Any]] = app.openapi

    def document() -> dict[str, Any]:
        is_new = app.openapi_schema is None
        found = plain()
        if is_new:
            for method, path, rules in access_rules(app):
                operation = found["paths"][path][method.lower()]
                operation["x-access"] = ", ".join(rules)
                for status in _refused_by(rules):
                    operation["responses"].setdefault(str(status), _ACCESS_PROBLEMS[status])
                for answer in operation["responses"].values():
                    _as_problem(answer)
            codes = {error.code for error in STATUS} | {code for code, _ in HTTP_CODES.values()}
            problem = found["components"]["schemas"]["Problem"]
            problem["properties"]["code"]["x-codes"] = sorted(codes | {code for _, code, _ in OWN_FAULTS})
        return found

    # FastAPI's documented way to extend the document.
    app.openapi = document  # type: ignore[method-assign]


def _as_problem(answer: dict[str, Any]) -> None:
    """Put the schema of a problem under its own media type; FastAPI puts every model under that of the route."""
    for media in answer.get("content", {}).values():
        schema = media.get("schema", {})
        if schema.get("$ref", "").endswith("/Problem"):
            answer["content"] = {MEDIA_TYPE: {"schema": schema}}
            return
