"""Access is declared on every route; one without a declaration does not pass."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.routing import APIRoute, iter_route_contexts

from tests.support.api_routes import app_without_database, declared_routes

OPEN_ROUTES = {
    "POST /v1/auth/codes",
    "POST /v1/auth/tokens",
    "POST /v1/auth/slips",
    "POST /v1/auth/refresh",
    "POST /v1/staff/auth/set-up",
    "POST /v1/staff/auth/set-up/confirm",
    "POST /v1/staff/auth/tokens",
    "POST /v1/staff/auth/refresh",
    "GET /v1/consent-texts",
    "GET /healthz",
    "GET /readyz",
    "GET /version",
    "GET /asyncapi.json",
}
# FastAPI's own pages: the document of this API and its viewers.
DOCUMENT_PAGES = {"/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc"}


def test_every_route_declares_exactly_one_rule() -> None:
    undeclared = [str(route) for route in declared_routes(app_without_database()) if len(route.rules) != 1]
    assert undeclared == []


def test_what_anybody_may_use_is_a_list_that_grows_only_here() -> None:
    routes = declared_routes(app_without_database())
    assert {str(route) for route in routes if route.rules == ("open",)} == OPEN_ROUTES


def test_a_family_or_child_in_the_path_is_judged_by_a_rule_for_it() -> None:
    for route in declared_routes(app_without_database()):
        if "{child_id}" in route.path:
            assert route.rules[0].startswith("of child"), str(route)
        elif "{family_id}" in route.path:
            assert route.rules[0].startswith("in family"), str(route)
        elif "{site_id}" in route.path:
            assert route.rules[0].startswith("of site"), str(route)


def test_staff_routes_are_judged_by_the_rules_for_staff_and_no_others_are() -> None:
    for route in declared_routes(app_without_database()):
        if route.rules != ("open",):
            assert route.is_for_staff == route.rules[0].startswith(("staff", "of site")), str(route)


def test_nothing_stands_beside_the_routes_that_are_walked() -> None:
    contexts = iter_route_contexts(app_without_database().routes)
    others = {str(one.path) for one in contexts if not isinstance(one.original_route, APIRoute)}
    assert others == DOCUMENT_PAGES


def test_a_route_without_a_rule_would_be_found() -> None:
    app = app_without_database()
    stray = APIRouter()
    stray.add_api_route("/v1/stray", lambda: None)
    app.include_router(stray)
    assert [route.path for route in declared_routes(app) if len(route.rules) != 1] == ["/v1/stray"]
