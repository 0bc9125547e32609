"""A plan of dependencies answers as FastAPI answers, which solves them at each request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI, HTTPException, Query, Request
from pydantic import BaseModel

from services.api.declaring import RouteIndex, Routes
from services.api.solving import plan_of

opened: list[str] = []


async def unit(request: Request) -> AsyncIterator[str]:
    opened.append("open")
    try:
        yield request.url.path
    except HTTPException:
        opened.append("rolled back")
        raise
    opened.append("closed")


Unit = Annotated[str, Depends(unit, scope="function")]


async def caller(unit: Unit, token: Annotated[str | None, Query()] = None) -> str:
    if token is None:
        raise HTTPException(401)
    return f"{token} at {unit}"


async def page(size: Annotated[int, Query(le=10)]) -> int:
    return size


class Answer(BaseModel):
    """What the endpoint returns."""

    caller: str
    size: int
    child: int


async def read(
    unit: Unit, size: Annotated[int, Depends(page)], caller: Annotated[str, Depends(caller)], child: int, q: int = 1
) -> Answer:
    opened.append(f"served {unit} {q}")
    return Answer(caller=caller, size=size, child=child)


def _planned() -> FastAPI:
    app, routes = FastAPI(), Routes(prefix="/v1")
    routes.get("/children/{child}/page")(read)
    routes.add_to(app)
    [route] = app.router.routes[-1:]
    assert plan_of(route) is not None  # type: ignore[arg-type]
    app.router.routes.insert(0, RouteIndex(app.router.routes))
    return app


def _by_fastapi() -> FastAPI:
    app = FastAPI()
    app.get("/v1/children/{child}/page")(read)
    return app


async def _answer(app: FastAPI, path: str) -> tuple[int, str, list[str]]:
    opened.clear()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test") as client:
        answer = await client.get(path)
    return answer.status_code, answer.text, list(opened)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/children/7/page?size=3&token=t", 200),
        # Whoever has no token is told so first, whatever else is wrong before and after.
        ("/v1/children/x/page?size=11&q=x", 401),
        ("/v1/children/x/page?size=11&q=x&token=t", 422),
        ("/v1/children/7/page?token=t", 422),
        ("/v1/children/7/page/more", 404),
        ("/v1/children", 404),
    ],
)
async def test_an_answer_by_a_plan_is_that_of_fastapi(path: str, status: int) -> None:
    planned = await _answer(_planned(), path)
    assert planned == await _answer(_by_fastapi(), path)
    assert planned[0] == status
