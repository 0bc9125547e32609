"""Additions to FastAPI's OpenAPI document: who may use a route, and the codes of every problem."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from services.api.documents.additions import complete, operation_id
from services.api.problems import Problem, problem_responses


def id_of_route(route: APIRoute) -> str:
    """Return the id of a route's operation in the document."""
    return operation_id(min(route.methods or ()), route.path_format)


def access_rules(app: FastAPI) -> Iterator[tuple[str, str, list[str]]]:
    """Return method, path and access rules of every route of this API; a sound route has exactly one rule."""
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            rules = [getattr(dependency.call, "access_rule", None) for dependency in context.dependant.dependencies]
            for method in sorted(context.methods or ()):
                yield method, str(context.path), [rule for rule in rules if rule is not None]


# Refusals of the rules themselves, whatever the route does: no valid token, no second step, a limit.
_ACCESS_PROBLEMS = problem_responses(401, 403, 429)


def _refused_by(rules: list[str]) -> list[int]:
    """Return the statuses with which a route's access rule itself refuses."""
    if rules == ["open"]:
        return []
    whole = ("logged in", "logged in, step-up")
    of_guardian = any(rule in whole or rule.startswith(("in family", "of child")) for rule in rules)
    return [401, 403, 429] if of_guardian else [401, 429]


def describe(app: FastAPI) -> None:
    """Complete the document; add ``x-access`` to each operation and ``x-codes`` to the problem schema."""
    plain: Callable[[], dict[str, Any]] = app.openapi

    def document() -> dict[str, Any]:
        is_new = app.openapi_schema is None
        spec = plain()
        if is_new:
            for method, path, rules in access_rules(app):
                if path not in spec["paths"]:
                    continue  # a page of the documents
                operation = spec["paths"][path][method.lower()]
                operation["x-access"] = ", ".join(rules)
                for status in _refused_by(rules):
                    operation["responses"].setdefault(str(status), _ACCESS_PROBLEMS[status])
            _add_problem_schema(spec["components"])
            complete(spec)
            codes = sorted({problem_type["code"] for problem_type in spec["x-problem-types"]})
            spec["components"]["schemas"]["Problem"]["properties"]["code"]["x-codes"] = codes
        return spec

    # FastAPI's documented way to extend the document.
    app.openapi = document  # type: ignore[method-assign]


def _add_problem_schema(components: dict[str, Any]) -> None:
    """Add the schema that every problem names, in alphabetical order as FastAPI's own."""
    schemas = components.get("schemas", {}) | {"Problem": Problem.model_json_schema()}
    components["schemas"] = dict(sorted(schemas.items()))
