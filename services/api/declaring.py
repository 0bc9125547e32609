"""Routes as the modules declare them. FastAPI analyses each once, when the application is made.

Its own routers analyse a route when it is declared and when the router is included, and match every request twice: a
quarter of the time in which the API loads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from fastapi import FastAPI, params
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class SiftedRoute(APIRoute):
    """A route that tells most other paths by their beginning and their number of parts.

    Its pattern is tried on the rest. A request of a phone passes up to 240 routes, at 2 us a pattern.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401 - those of FastAPI
        super().__init__(path, endpoint, **options)
        self._beginning = path.partition("{")[0]
        self._slashes = path.count("/")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether the route serves this request."""
        path: str = scope["path"]
        if path.count("/") != self._slashes or not path.startswith(self._beginning):
            return Match.NONE, {}
        return super().matches(scope)


class Routes:
    """The routes of one module: a common prefix of their paths, tags for the document, and dependencies."""

    def __init__(
        self,
        *,
        prefix: str = "",
        tags: Sequence[str] = (),
        dependencies: Sequence[params.Depends] = (),
        include_in_schema: bool = True,
    ) -> None:
        self._prefix = prefix
        self._tags = list(tags)
        self._dependencies = list(dependencies)
        self._include_in_schema = include_in_schema
        self._declared: list[tuple[str, str, Callable[..., Any], dict[str, Any]]] = []

    def get(self, path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:  # noqa: ANN401 - those of FastAPI
        """Declare a GET; the options are those of ``FastAPI.get``, and so below."""
        return self._declare("GET", path, options)

    def post(self, path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:  # noqa: ANN401
        """Declare a POST."""
        return self._declare("POST", path, options)

    def put(self, path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:  # noqa: ANN401
        """Declare a PUT."""
        return self._declare("PUT", path, options)

    def patch(self, path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:  # noqa: ANN401
        """Declare a PATCH."""
        return self._declare("PATCH", path, options)

    def delete(self, path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:  # noqa: ANN401
        """Declare a DELETE."""
        return self._declare("DELETE", path, options)

    def _declare(self, method: str, path: str, options: dict[str, Any]) -> Callable[[Endpoint], Endpoint]:
        def declare(endpoint: Endpoint) -> Endpoint:
            self._declared.append((method, path, endpoint, options))
            return endpoint

        return declare

    def add_to(self, app: FastAPI) -> None:
        """Add the routes to an application, in the order of their declaration."""
        for method, path, endpoint, given in self._declared:
            options = dict(given)
            app.router.add_api_route(
                self._prefix + path,
                endpoint,
                methods=[method],
                tags=[*self._tags, *options.pop("tags", ())],
                dependencies=[*self._dependencies, *options.pop("dependencies", ())],
                include_in_schema=self._include_in_schema and options.pop("include_in_schema", True),
                route_class_override=SiftedRoute,
                **options,
            )
