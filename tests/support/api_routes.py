"""The routes of the API as tests walk them: path, method, declared access rules."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI

from services.api.app import create_app
from services.api.openapi import access_rules
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.core.platform.settings import Environment, Settings


@dataclass(frozen=True)
class Declared:
    """One route and method; ``rules`` are the access rules found on it."""

    method: str
    path: str
    rules: tuple[str, ...]

    @property
    def is_for_staff(self) -> bool:
        """Whether staff use it, with tokens of their own."""
        return self.path.startswith("/v1/staff/")

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def app_without_database() -> FastAPI:
    """Return the application for looking at, not for asking."""
    settings = Settings(environment=Environment.TEST, database_url="postgresql://nobody@127.0.0.1:1/none")
    vault = Vault(settings.master_key.get_secret_value())
    return create_app(settings, Database(settings.database_url, vault=vault))


def declared_routes(app: FastAPI) -> list[Declared]:
    """Return every route of our own with its access rules; the documentation pages are FastAPI's."""
    return [Declared(method, path, tuple(rules)) for method, path, rules in access_rules(app)]
