"""Sessions of pages: the tokens are in cookies that no script reads, and only this server's own page uses them."""

from __future__ import annotations

from http.cookies import SimpleCookie

import httpx
import pytest
import pytest_asyncio

from services.core.platform.db.database import Database
from tests.support.clock import FakeClock
from tests.support.colleague import Colleague, new_colleague
from tests.support.http import Parent, enrol_family, make_family, new_phone

OWN = {"X-SmartWatch": "web", "Origin": "http://api.test"}


def cookies_of(answer: httpx.Response) -> SimpleCookie:
    """Return the cookies that an answer sets."""
    return SimpleCookie("\r\n".join(answer.headers.get_list("set-cookie")))


def as_sent(cookies: SimpleCookie) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={cookie.value}" for name, cookie in cookies.items())}


async def log_in_as_page(parent: Parent, **headers: str) -> httpx.Response:
    clock = parent.database.clock
    assert isinstance(clock, FakeClock)
    clock.advance(minutes=2)  # a phone gets its next code after a minute
    challenge_id, code = await parent.ask_for_code()
    body = {
        "challenge_id": challenge_id, "challenge_secret": parent.secrets[challenge_id], "phone": parent.phone,
        "code": code, "keep": "cookie",
    }  # fmt: skip
    return await parent.client.post(
        "/v1/auth/tokens", json=body, headers={"X-Forwarded-For": parent.address, **OWN, **headers}
    )


@pytest_asyncio.fixture(loop_scope="session")
async def parent(client: httpx.AsyncClient, database: Database) -> Parent:
    phone = new_phone()
    return Parent(client, database, phone, await enrol_family(database, phone))


async def test_no_script_can_read_the_tokens_that_a_page_logs_in_with(parent: Parent) -> None:
    answer = await log_in_as_page(parent)
    assert answer.status_code == 200
    assert answer.json()["refresh_token"] == ""
    assert answer.json()["device_token"] is None
    for name in ("sw_refresh", "sw_device"):
        cookie = cookies_of(answer)[name]
        assert len(cookie.value) > 20
        assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "strict")
        assert cookie["path"] == "/v1/auth"


async def test_a_page_continues_its_session_and_ends_it(parent: Parent) -> None:
    first = cookies_of(await log_in_as_page(parent))
    answer = await parent.client.post("/v1/auth/refresh", json={"keep": "cookie"}, headers={**OWN, **as_sent(first)})
    assert answer.status_code == 200
    second = cookies_of(answer)
    assert second["sw_refresh"].value not in {"", first["sw_refresh"].value}
    parent.tokens = answer.json()
    ended = await parent.ask("POST", "/v1/auth/logout", headers=as_sent(second))
    assert ended.status_code == 204
    assert cookies_of(ended)["sw_refresh"]["max-age"] == "0"
    again = await parent.client.post("/v1/auth/refresh", json={"keep": "cookie"}, headers={**OWN, **as_sent(second)})
    assert again.status_code == 401


async def test_a_device_is_known_by_its_cookie(parent: Parent) -> None:
    device = cookies_of(await log_in_as_page(parent))
    unknown = await log_in_as_page(parent.new_device())
    assert unknown.json()["limited"]
    known = await log_in_as_page(parent, **as_sent(device))
    assert not known.json()["limited"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-SmartWatch": "web"},
        {"Origin": "http://api.test"},
        {"X-SmartWatch": "web", "Origin": "https://evil.example"},
        {"X-SmartWatch": "web", "Origin": "null"},
        {"X-SmartWatch": "web", "Origin": "http://api.test.evil.example"},
        {"X-SmartWatch": "app", "Origin": "http://api.test"},
    ],
)
async def test_a_page_elsewhere_neither_uses_nor_sets_a_cookie(parent: Parent, headers: dict[str, str]) -> None:
    cookies = as_sent(cookies_of(await log_in_as_page(parent)))
    answer = await parent.client.post("/v1/auth/refresh", json={"keep": "cookie"}, headers={**headers, **cookies})
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_page")
    assert "set-cookie" not in answer.headers
    # The refused request did not use the token.
    answer = await parent.client.post("/v1/auth/refresh", json={"keep": "cookie"}, headers={**OWN, **cookies})
    assert answer.status_code == 200


@pytest.mark.parametrize("body", [{}, {"refresh_token": "a", "keep": "cookie"}, {"keep": "json"}, {"keep": "page"}])
async def test_a_refresh_token_is_in_one_place(client: httpx.AsyncClient, body: dict[str, str]) -> None:
    answer = await client.post("/v1/auth/refresh", json=body, headers=OWN)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_a_cookie_alone_opens_no_other_route(client: httpx.AsyncClient, database: Database) -> None:
    family = await make_family(client, database)
    cookies = as_sent(cookies_of(await log_in_as_page(family)))
    answer = await client.get("/v1/me", headers={**OWN, **cookies})
    assert (answer.status_code, answer.json()["code"]) == (401, "access_token_invalid")


# ------------------------------------------------------------------------------------------------ staff


STAFF = "__Host-sw_staff"


def staff_cookie_of(answer: httpx.Response) -> dict[str, str]:
    """Return the headers that send the staff cookie of an answer back."""
    return {"Cookie": f"{STAFF}={cookies_of(answer)[STAFF].value}"}


@pytest_asyncio.fixture(loop_scope="session")
async def colleague(client: httpx.AsyncClient, database: Database, clock: FakeClock) -> Colleague:
    return await (await new_colleague(client, database, clock)).set_up()


async def log_in_as_console(colleague: Colleague, headers: dict[str, str]) -> httpx.Response:
    colleague.clock.advance(minutes=2)  # each code of the app works once
    return await colleague.say("tokens", headers, code=colleague.shown(), keep="cookie")


async def test_a_console_logs_in_goes_on_and_logs_out_without_a_token_in_a_script(colleague: Colleague) -> None:
    first = await log_in_as_console(colleague, OWN)
    assert (first.status_code, first.json()["refresh_token"]) == (200, "")
    cookie = cookies_of(first)[STAFF]
    # What browsers ask of the prefix: no other host of the domain can set it. It ends with the browser.
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "strict")
    assert (cookie["path"], cookie["domain"], cookie["max-age"]) == ("/", "", "")
    path = "/v1/staff/auth/refresh"
    second = await colleague.client.post(path, json={"keep": "cookie"}, headers={**OWN, **staff_cookie_of(first)})
    assert second.status_code == 200
    colleague.tokens = second.json()
    ended = await colleague.client.post("/v1/staff/auth/logout", headers=colleague.headers)
    assert cookies_of(ended)[STAFF]["max-age"] == "0"
    again = await colleague.client.post(path, json={"keep": "cookie"}, headers={**OWN, **staff_cookie_of(second)})
    assert (again.status_code, again.json()["code"]) == (401, "refresh_token_invalid")


async def test_a_page_elsewhere_neither_uses_nor_sets_the_cookie_of_staff(colleague: Colleague) -> None:
    foreign = {"X-SmartWatch": "web", "Origin": "https://evil.example"}
    refused = await log_in_as_console(colleague, foreign)
    assert (refused.status_code, refused.json()["code"]) == (403, "foreign_page")
    assert "set-cookie" not in refused.headers
    # The code was not spent on it.
    cookie = staff_cookie_of(await colleague.say("tokens", OWN, code=colleague.shown(), keep="cookie"))
    path = "/v1/staff/auth/refresh"
    for headers in (foreign, {}, {"Origin": "http://api.test"}):
        answer = await colleague.client.post(path, json={"keep": "cookie"}, headers={**headers, **cookie})
        assert (answer.status_code, answer.json()["code"]) == (403, "foreign_page")
    assert (await colleague.client.post(path, json={"keep": "cookie"}, headers={**OWN, **cookie})).status_code == 200


async def test_the_cookie_of_staff_opens_no_other_route_and_is_no_guardians(colleague: Colleague) -> None:
    cookie = staff_cookie_of(await log_in_as_console(colleague, OWN))
    client = colleague.client
    assert (await client.get("/v1/staff/me", headers={**OWN, **cookie})).status_code == 401
    answer = await client.post("/v1/auth/refresh", json={"keep": "cookie"}, headers={**OWN, **cookie})
    assert answer.status_code == 401


@pytest.mark.parametrize("body", [{}, {"refresh_token": "a", "keep": "cookie"}, {"keep": "json"}])
async def test_a_refresh_token_of_staff_is_in_one_place(client: httpx.AsyncClient, body: dict[str, str]) -> None:
    answer = await client.post("/v1/staff/auth/refresh", json=body, headers=OWN)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
