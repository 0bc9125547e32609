"""Access is declared on every route; one without a declaration does not pass."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from services.api.declaring import IndexedRoute, RouteIndex, Routes, indexed
from tests.support.api_routes import (
    CHECKOUT,
    Declared,
    UndeclaredAccessError,
    app_without_database,
    declared_routes,
)

ROUTES = declared_routes(app_without_database())
OPEN_ROUTES = {
    "POST /v1/auth/codes",
    "POST /v1/auth/tokens",
    "POST /v1/auth/slips",
    "POST /v1/auth/refresh",
    "GET /w",
    "GET /v1/walls/{token}",
    "POST /v1/staff/auth/set-up",
    "POST /v1/staff/auth/set-up/confirm",
    "POST /v1/staff/auth/tokens",
    "POST /v1/staff/auth/refresh",
    "GET /v1/consent-texts",
    "GET /healthz",
    "GET /readyz",
    "GET /version",
    "GET /asyncapi.json",
    "GET /openapi.json",
    "GET /docs",
    "GET /docs/watches",
    "GET /docs/problems",
    "GET /docs/assets/{name}",
}
# Erase, unpair, rights, removal, number, copy; and what would undo the protection itself.
STEP_UP_ROUTES = {
    "DELETE /v1/children/{child_id}",
    "DELETE /v1/families/{family_id}",
    "DELETE /v1/children/{child_id}/pairing",
    "PATCH /v1/families/{family_id}/guardians/{guardian_id}",
    "DELETE /v1/families/{family_id}/guardians/{guardian_id}",
    "POST /v1/families/{family_id}/exports",
    "GET /v1/families/{family_id}/exports/{export_id}/file",
    "POST /v1/families/{family_id}/exports/{export_id}/link",
    "POST /v1/me/number-change/codes",
    "POST /v1/me/number-change",
    "PUT /v1/me/pin",
    "POST /v1/me/new-phones/unblock",
}
# FastAPI's own page: the document of this API.
# Files without anything of a family: what a page shows, it asks the API for.
PAGES = {
    "/", "/check", "/staff", "/wall", "/pair", "/log-in", "/sw.js", "/manifest.webmanifest", "/web/{name:path}",
    "/web/spoken.json", "/web/spoken/{name}",
}  # fmt: skip


def test_every_route_declares_exactly_one_rule() -> None:
    for route in ROUTES:
        assert route.rule


def test_what_anybody_may_use_is_a_list_that_grows_only_here() -> None:
    assert {str(route) for route in ROUTES if route.rules == ("open",)} == OPEN_ROUTES


def test_a_family_or_child_in_the_path_is_judged_by_a_rule_for_it() -> None:
    for route in ROUTES:
        if "{child_id}" in route.path:
            assert route.rule.startswith("of child"), str(route)
        elif "{family_id}" in route.path:
            assert route.rule.startswith("in family"), str(route)
        elif "{site_id}" in route.path:
            assert route.rule.startswith("of site"), str(route)


def test_staff_routes_are_judged_by_the_rules_for_staff_and_no_others_are() -> None:
    for route in ROUTES:
        if route.rules != ("open",):
            assert route.is_for_staff == route.rule.startswith(("staff", "of site")), str(route)


def test_what_cannot_be_undone_asks_for_a_fresh_proof() -> None:
    assert {str(route) for route in ROUTES if route.rule.endswith(", step-up")} == STEP_UP_ROUTES
    document = app_without_database().openapi()
    for route in STEP_UP_ROUTES:
        method, path = route.split()
        assert document["paths"][path][method.lower()]["x-access"].endswith(", step-up")


def test_nothing_stands_beside_the_routes_that_are_walked() -> None:
    contexts = iter_route_contexts(app_without_database().routes)
    others = {str(of.path) for of in contexts if not isinstance(of.original_route, APIRoute | RouteIndex)}
    assert others == PAGES


def stray_routes(path: str, *rules: str) -> list[Declared]:
    """Return what is declared after somebody added a route with these rules; FastAPI reads them as dependencies."""

    def make(rule: str) -> Any:
        def access() -> None: ...

        access.access_rule = rule  # type: ignore[attr-defined]
        return Depends(access)

    app = FastAPI()
    app.add_api_route(path, lambda: None, dependencies=[make(rule) for rule in rules])
    return [route for route in declared_routes(app) if route.path == path]


@pytest.mark.parametrize(
    ("path", "rules", "sentence"),
    [
        ("/v1/stray", (), "GET /v1/stray declares no access rule: in tests/unit/api/test_declared_access.py, "),
        ("/v1/stray", (), "with one rule of services/api/family/access.py"),
        ("/v1/staff/stray", (), "with one rule of services/api/staff/access.py"),
        ("/v1/stray", ("open", "logged in"), "declares 2 access rules (open, logged in): in tests/unit/api/"),
    ],
)
def test_a_route_without_exactly_one_rule_fails_with_a_sentence(
    path: str, rules: tuple[str, ...], sentence: str
) -> None:
    (stray,) = stray_routes(path, *rules)
    with pytest.raises(UndeclaredAccessError, match=re.escape(sentence)):
        _ = stray.rule


def test_the_files_that_the_sentence_names_exist() -> None:
    for name in ("services/api/access.py", "services/api/family/access.py", "services/api/staff/access.py"):
        assert (CHECKOUT / name).exists(), name
    for route in ROUTES:
        assert (CHECKOUT / route.file).exists(), str(route)


@pytest.mark.parametrize("path", ["/{anything}", "/v1/files/{name:path}"])
def test_a_path_that_the_index_could_not_find_is_refused(path: str) -> None:
    routes = Routes()
    routes.get(path)(lambda: None)
    app = FastAPI()
    routes.add_to(app)
    with pytest.raises(ValueError, match="have to be fixed"):
        RouteIndex(app.router.routes)


def test_a_route_that_two_threads_ask_at_once_is_whole_for_each() -> None:
    """A thread writes the document while a request comes: neither may find a route without its access rule."""

    def access() -> None: ...

    for _ in range(20):
        routes = Routes(dependencies=[Depends(access)])
        routes.get("/v1/files/{name}")(lambda name: name)
        app = FastAPI()
        routes.add_to(app)
        (route,) = indexed(app.router.routes)
        together = threading.Barrier(2)

        def ask(route: IndexedRoute = route, together: threading.Barrier = together) -> object:
            together.wait()
            return route.path_regex.pattern, [dependency.call for dependency in route.dependant.dependencies]

        with ThreadPoolExecutor(2) as threads:
            first, second = (each.result() for each in [threads.submit(ask), threads.submit(ask)])
        assert first == second == (r"^/v1/files/(?P<name>[^/]+)$", [access])
    assert not hasattr(route, "nothing")
