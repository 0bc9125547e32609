"""Solves the dependencies of a GET by a plan that is made once for its route.

FastAPI walks the tree of a route's dependencies anew at each request, also below a dependency that it has solved
already: nine visits for a route with an access rule, which took a tenth of the CPU of a short request. What the plan
does not know is left to FastAPI (`plan_of` returns None).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request, Response
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.models import Dependant, _is_async_gen_callable, _is_coroutine_callable
from fastapi.dependencies.utils import request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, serialize_response

# How a request holds the parameters of each kind.
_KINDS: Final[Mapping[str, Callable[[Request], Any]]] = {
    "path_params": lambda request: request.path_params,
    "query_params": lambda request: request.query_params,
    "header_params": lambda request: request.headers,
    "cookie_params": lambda request: request.cookies,
}


@dataclass(frozen=True, slots=True)
class _Step:
    """A call with what it is given: results of earlier steps by their number, the request, parameters by their kind."""

    call: Callable[..., Any]
    is_opened: bool
    given: tuple[tuple[str, int], ...]
    # Steps without which this one is not taken.
    needs: tuple[int, ...]
    # Parameters that are the request itself.
    request_names: tuple[str, ...]
    parameters: tuple[tuple[Callable[[Request], Any], list[Any]], ...]


class Plan:
    """The steps of a route in the order in which FastAPI takes them; the last one is the endpoint."""

    def __init__(self, dependant: Dependant) -> None:
        self._steps: list[_Step] = []
        self._numbers: dict[tuple[Callable[..., Any], str | None], int] = {}
        self._add(dependant)

    def _add(self, dependant: Dependant) -> int:
        call = _plain_call(dependant)
        key = call, dependant.scope
        if key in self._numbers:
            if self._steps[self._numbers[key]].parameters:
                # FastAPI reports wrong parameters once for each place in the tree.
                raise _UnplannedError
            return self._numbers[key]
        given = [(child.name, self._add(child)) for child in dependant.dependencies]
        parameters = [(of, getattr(dependant, kind)) for kind, of in _KINDS.items() if getattr(dependant, kind)]
        is_opened = _is_async_gen_callable(call)
        self._steps.append(
            _Step(
                call=asynccontextmanager(call) if is_opened else call,
                is_opened=is_opened,
                given=tuple((name, number) for name, number in given if name is not None),
                needs=tuple(number for _, number in given),
                request_names=tuple(filter(None, (dependant.request_param_name, dependant.http_connection_param_name))),
                parameters=tuple(parameters),
            )
        )
        self._numbers[key] = len(self._steps) - 1
        return self._numbers[key]

    async def answer(self, request: Request) -> Any:  # noqa: ANN401 - whatever the endpoint returns
        """Call the endpoint and close what was opened for it; raises RequestValidationError, and what a step raises."""
        results: list[Any] = []
        errors: list[Any] = []
        failed: set[int] = set()
        async with AsyncExitStack() as stack:
            for place, step in enumerate(self._steps):
                arguments = {name: results[number] for name, number in step.given}
                for name in step.request_names:
                    arguments[name] = request
                for of, fields in step.parameters:
                    values, wrong = request_params_to_args(fields, of(request))
                    arguments.update(values)
                    if wrong:
                        errors += wrong
                        failed.add(place)
                if failed and (place in failed or not failed.isdisjoint(step.needs)):
                    # Others are still taken: a caller without a token is told that, whatever else is wrong.
                    failed.add(place)
                    results.append(None)
                elif step.is_opened:
                    results.append(await stack.enter_async_context(step.call(**arguments)))
                else:
                    results.append(await step.call(**arguments))
            if errors:
                raise RequestValidationError(errors)
            return results[-1]


def plan_of(route: APIRoute) -> Plan | None:
    """Return the plan of a GET that answers with JSON or with a response of its own, or None for other routes."""
    is_plain = isinstance(route.response_class, DefaultPlaceholder) and route.status_code in {None, 200}
    if route.methods != {"GET"} or route.body_field is not None or not is_plain:
        return None
    try:
        return Plan(route.dependant)
    except _UnplannedError:
        return None


async def write_answer(route: APIRoute, answer: object) -> Response:
    """Return what an endpoint returned as a response, in the form of the route's schema."""
    if isinstance(answer, Response):
        return answer
    content = await serialize_response(
        field=route.response_field,
        response_content=answer,
        by_alias=route.response_model_by_alias,
        dump_json=True,
    )
    return Response(content, media_type="application/json")


class _UnplannedError(Exception):
    """A route has what the plan does not know."""


def _plain_call(dependant: Dependant) -> Callable[..., Any]:
    """Return the coroutine function or asynchronous generator of a dependency; raises _UnplannedError."""
    call = dependant.call
    unknown = (
        dependant.body_params, dependant.websocket_param_name, dependant.response_param_name,
        dependant.background_tasks_param_name, dependant.security_scopes_param_name, dependant.own_oauth_scopes,
        dependant.parent_oauth_scopes, dependant.concurrency, not dependant.use_cache,
    )  # fmt: skip
    if call is None or any(unknown):
        raise _UnplannedError
    if not (_is_coroutine_callable(call) or (_is_async_gen_callable(call) and dependant.scope == "function")):
        raise _UnplannedError
    return call
