"""Whatever fits or breaks our own OpenAPI document: no answer of ours is a fault, and none is undocumented."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator

import hypothesis
import pytest
import pytest_asyncio
import requests
import schemathesis
from hypothesis import HealthCheck
from schemathesis import Case, SerializationContext
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.transport.serialization import Binary

from services.core.accounts.tables import Session
from services.core.accounts.tokens import AccessClaims, AccessTokens
from services.core.clock import system_clock
from services.core.settings import Settings
from tests.api_process import api_process, database_of_today
from tests.api_routes import app_without_database
from tests.builders import make_home, wear

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
# Never ends; tests of its own hold it.
ENDLESS = "/v1/events"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def address(settings: Settings) -> AsyncIterator[str]:
    """Where the API answers."""
    async with api_process(settings) as port:
        yield f"http://127.0.0.1:{port}"


@pytest_asyncio.fixture(loop_scope="session")
async def caller(settings: Settings) -> dict[str, str]:
    """A family with a paired watch for each operation, and the header of its guardian."""
    async with database_of_today(settings) as database:
        home = await make_home(database)
        await wear(database, home)
        async with database.begin() as work:
            session = Session(guardian_id=home.guardian_id, created_at=work.now, last_used_at=work.now)
            work.add(session)
            await work.flush()
            claims = AccessClaims(home.guardian_id, session.session_id)
    token = AccessTokens.of(settings).issue(claims, system_clock())
    return {
        "Authorization": f"Bearer {token}", "family_id": str(home.family_id), "child_id": str(home.child_id),
        "guardian_id": str(home.guardian_id),
    }  # fmt: skip


@pytest.fixture(scope="module")
def http() -> Iterator[requests.Session]:
    """One connection for all requests."""
    with requests.Session() as session:
        yield session


@schemathesis.serializer("audio/webm", "audio/mp4", "audio/wav", "application/offset+octet-stream")
def as_it_is(_context: SerializationContext, sound: Binary | bytes) -> bytes:
    """Send a recording, or what claims to be one, as it is."""
    return sound.data if isinstance(sound, Binary) else sound


schema = schemathesis.openapi.from_dict(app_without_database().openapi()).exclude(path=ENDLESS)


def _ask(case: Case, address: str, caller: dict[str, str], http: requests.Session) -> None:
    # Half of the ids are the caller's own, so that what lies behind the access rules is met, too.
    for name in (case.path_parameters or {}).keys() & caller.keys():
        if uuid.uuid5(uuid.NAMESPACE_URL, repr(case.path_parameters)).int % 2:
            case.path_parameters[name] = caller[name]
    case.call_and_validate(
        base_url=address, headers={"Authorization": caller["Authorization"]}, session=http, checks=CHECKS, timeout=30
    )


_ALLOWED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much]


@schema.parametrize()
@hypothesis.settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=_ALLOWED, database=None)
def test_every_answer_is_documented_and_none_a_fault(
    case: Case, address: str, caller: dict[str, str], http: requests.Session
) -> None:
    _ask(case, address, caller, http)


@pytest.mark.long
@schema.parametrize()
@hypothesis.settings(max_examples=300, deadline=None, suppress_health_check=_ALLOWED, database=None)
def test_every_answer_is_documented_and_none_a_fault_for_long(
    case: Case, address: str, caller: dict[str, str], http: requests.Session
) -> None:
    _ask(case, address, caller, http)
