"""The routes of the API as tests walk them: path, method, declared access rules."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from services.api.app import create_app
from services.api.openapi import access_rules
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.core.platform.settings import Environment, Settings

CHECKOUT = Path(__file__).resolve().parents[2]


class UndeclaredAccessError(AssertionError):
    """A route without exactly one access rule."""

    def __init__(self, route: Declared) -> None:
        rules = f"{len(route.rules)} access rules ({', '.join(route.rules)})" if route.rules else "no access rule"
        super().__init__(
            f"{route} declares {rules}: in {route.file}, give its decorator dependencies=[...] with one rule of "
            f"services/api/{'staff' if route.is_for_staff else 'family'}/access.py, or OPEN of services/api/access.py"
        )


@dataclass(frozen=True)
class Declared:
    """One route and method; ``rules`` are the access rules found on it."""

    method: str
    path: str
    rules: tuple[str, ...]
    file: str = ""

    @property
    def rule(self) -> str:
        """Return the one access rule. Raises UndeclaredAccessError, which says where to add it."""
        if len(self.rules) != 1:
            raise UndeclaredAccessError(self)
        return self.rules[0]

    @property
    def is_for_staff(self) -> bool:
        """Whether staff use it, with tokens of their own."""
        return self.path.startswith("/v1/staff/")

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@cache
def app_without_database() -> FastAPI:
    """Return the application for looking at, not for asking: one for the whole process, which nothing may change."""
    settings = Settings(environment=Environment.TEST, database_url="postgresql://nobody@127.0.0.1:1/none")
    vault = Vault(settings.master_key.get_secret_value())
    return create_app(settings, Database(settings.database_url, vault=vault))


def declared_routes(app: FastAPI) -> list[Declared]:
    """Return every route of our own with its access rules; the documentation pages are FastAPI's."""
    files = {
        (method, str(context.path)): _file_of(context.original_route.endpoint)
        for context in iter_route_contexts(app.routes)
        if isinstance(context.original_route, APIRoute)
        for method in context.methods or ()
    }
    return [Declared(method, path, tuple(rules), files[method, path]) for method, path, rules in access_rules(app)]


def _file_of(endpoint: Callable[..., object]) -> str:
    """Return the file that a route's function stands in, as a path of this checkout."""
    file = Path(inspect.getsourcefile(endpoint) or "unknown")
    return str(file.relative_to(CHECKOUT)) if file.is_relative_to(CHECKOUT) else str(file)
