"""Routes as the modules declare them. FastAPI analyses each once, when it is first asked for.

Its own routers analyse a route when it is declared and when the router is included, and match every request twice: a
quarter of the time in which the API loads. Analysing all of them once was still a sixth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from fastapi import FastAPI, params
from fastapi.datastructures import DefaultPlaceholder
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class IndexedRoute(APIRoute):
    """A route that the `RouteIndex` finds. To the router, which would try all patterns, it matches nothing.

    It knows its path, methods and class of responses. FastAPI's analysis, 2 ms, waits for whoever asks for more: the
    first request, or the document. The tests ask for all of it.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        methods: Sequence[str],
        response_class: type[Response] | DefaultPlaceholder,
        **options: Any,  # noqa: ANN401 - those of FastAPI's route
    ) -> None:
        self.path = path
        self.methods = set(methods)
        self.response_class = response_class
        self._analyse: Callable[[], APIRoute] | None = lambda: APIRoute(
            path, endpoint, methods=list(methods), response_class=response_class, **options
        )

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any attribute of FastAPI's route
        """Analyse the route, then return an attribute that was not there before."""
        analyse = self.__dict__.get("_analyse")
        if analyse is not None and not name.startswith("__"):
            # In one step: a request and a thread that writes the document may ask at once, and each finds all or none.
            self.__dict__.update({**vars(analyse()), "_analyse": None})
            return getattr(self, name)
        message = f"{type(self).__name__} has no attribute {name}"
        raise AttributeError(message)

    def matches(self, _scope: Scope) -> tuple[Match, Scope]:
        """Match nothing: the index has tried this route if it could serve the request."""
        return Match.NONE, {}

    def matches_pattern(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether the route serves this request."""
        return super().matches(scope)


def indexed(routes: Sequence[BaseRoute]) -> list[IndexedRoute]:
    """Return those of an application's routes that were declared here."""
    return [route for route in routes if isinstance(route, IndexedRoute)]


class RouteIndex(BaseRoute):
    """Finds the route of a path by its number of parts and the first two of them, then by its pattern.

    One after the other, up to 240 routes were asked: a tenth of the CPU of a short request.
    """

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        """Raise ValueError for a path that the index could not find: it would answer 404 without a word."""
        keys = [(_key(route.path), route) for route in indexed(routes)]
        for (_, first, _), route in keys:
            if first.startswith("{") or ":path}" in route.path:
                message = f"{route.path}: the first part and the number of parts have to be fixed"
                raise ValueError(message)
        self._routes: dict[_Key, list[IndexedRoute]] = {}
        for (slashes, first, second), _ in keys:
            # In the order of declaration, together with those whose second part is a parameter.
            self._routes[slashes, first, second] = [
                route
                for key, route in keys
                if key[:2] == (slashes, first) and (key[2] == second or key[2].startswith("{"))
            ]
        self._with_parameter = {key[:2]: found for key, found in self._routes.items() if key[2].startswith("{")}

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return the match of the first route that serves the request, else of the first with another method."""
        other_method: tuple[Match, Scope] = Match.NONE, {}
        if scope["type"] != "http":
            return other_method
        key = _key(scope["path"])
        for route in self._routes.get(key) or self._with_parameter.get(key[:2]) or ():
            match, found = route.matches_pattern(scope)
            if match is Match.FULL:
                return match, found
            if match is Match.PARTIAL and other_method[0] is Match.NONE:
                other_method = match, found
        return other_method

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request by the route that `matches` found."""
        await scope["route"].handle(scope, receive, send)


_Key = tuple[int, str, str]


def _key(path: str) -> _Key:
    """Return the number of slashes in a path, and its first two parts."""
    _, first, second, *_ = (*path.split("/", 3), "", "")
    return path.count("/"), first, second


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
                route_class_override=IndexedRoute,
                **options,
            )
