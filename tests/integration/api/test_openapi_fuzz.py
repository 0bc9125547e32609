"""Whatever fits or breaks our own OpenAPI document: no answer of ours is a fault, and none is undocumented."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

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

from services.core.people.accounts.staff_sessions import open_staff_session
from services.core.people.accounts.tables import Session, Staff
from services.core.people.accounts.tokens import AccessClaims, AccessTokens, StaffClaims
from services.core.people.programme.tables import Site, StaffScope
from services.core.platform.clock import system_clock
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.settings import Settings
from tests.support.api_process import api_process, database_of_today
from tests.support.api_routes import app_without_database
from tests.support.http import new_address
from tests.support.world import make_home, wear

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
# Never ends, so that no answer of it is ever whole: test_event_answers.py meets each of its documented answers by hand.
ENDLESS = "/v1/events"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def address(settings: Settings) -> AsyncIterator[str]:
    """Where the API answers."""
    async with api_process(settings) as port:
        yield f"http://127.0.0.1:{port}"


@dataclass(frozen=True)
class Callers:
    """A guardian with a family and a watch, a staff member of their site, and the ids that are theirs."""

    guardian_token: str
    staff_token: str
    ids: dict[str, str]

    def headers_for(self, path: str) -> dict[str, str]:
        """Return who asks, from an address of its own: limits have tests of their own."""
        token = self.staff_token if path.startswith("/v1/staff") else self.guardian_token
        return {"Authorization": f"Bearer {token}", "X-Forwarded-For": new_address()}


@pytest_asyncio.fixture(loop_scope="session")
async def callers(settings: Settings) -> Callers:
    """Everybody anew for each operation: some of them end what the next would need."""
    tokens = AccessTokens.of(settings)
    async with database_of_today(settings) as database:
        home = await make_home(database)
        await wear(database, home)
        async with database.begin() as work:
            session = Session(guardian_id=home.guardian_id, created_at=work.now, last_used_at=work.now)
            site = await work.session.get_one(Site, home.site_id)
            staff = Staff(
                email=f"{new_ref()}@wecare.example", display_name="admin", role="admin", password_hash="none",
                appointed_at=work.now, created_at=work.now,
            )  # fmt: skip
            work.add(session, staff)
            await work.flush()
            work.add(StaffScope(staff_id=staff.staff_id, programme_id=site.programme_id))
            opened = await open_staff_session(work, staff.staff_id)
            claims = AccessClaims(home.guardian_id, session.session_id)
            staff_claims = StaffClaims(opened.staff_id, opened.staff_session_id)
    now = system_clock()
    ids = {
        "family_id": home.family_id, "child_id": home.child_id, "guardian_id": home.guardian_id,
        "site_id": home.site_id, "programme_id": site.programme_id, "staff_id": staff.staff_id,
    }  # fmt: skip
    return Callers(
        tokens.issue(claims, now), tokens.issue_staff(staff_claims, now), {name: str(id_) for name, id_ in ids.items()}
    )


@pytest.fixture(scope="module")
def http() -> Iterator[requests.Session]:
    """One connection for all requests."""
    with requests.Session() as session:
        yield session


@schemathesis.serializer(
    "audio/webm", "audio/mp4", "audio/wav", "application/offset+octet-stream", "text/csv", "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)  # fmt: skip
def as_it_is(_context: SerializationContext, sound: Binary | bytes) -> bytes:
    """Send a recording or a list, or what claims to be one, as it is."""
    return sound.data if isinstance(sound, Binary) else sound


schema = schemathesis.openapi.from_dict(app_without_database().openapi()).exclude(path=ENDLESS)


def _ask(case: Case[Any], address: str, callers: Callers, http: requests.Session) -> None:
    # Half of the ids are the caller's own, so that the code behind the access rules is reached.
    for name in (case.path_parameters or {}).keys() & callers.ids.keys():
        if uuid.uuid5(uuid.NAMESPACE_URL, repr(case.path_parameters)).int % 2:
            case.path_parameters[name] = callers.ids[name]
    case.call_and_validate(
        base_url=address, headers=callers.headers_for(case.path), session=http, checks=CHECKS, timeout=30
    )


_ALLOWED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much]


@schema.parametrize()
@hypothesis.settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=_ALLOWED, database=None)
def test_every_answer_is_documented_and_none_a_fault(
    case: Case[Any], address: str, callers: Callers, http: requests.Session
) -> None:
    _ask(case, address, callers, http)


@pytest.mark.long
@schema.parametrize()
@hypothesis.settings(max_examples=300, deadline=None, suppress_health_check=_ALLOWED, database=None)
def test_every_answer_is_documented_and_none_a_fault_for_long(
    case: Case[Any], address: str, callers: Callers, http: requests.Session
) -> None:
    _ask(case, address, callers, http)
