"""A colleague with an authenticator app, as tests drive the log-in of staff over HTTP."""

from __future__ import annotations

import base64
import re
import urllib.parse
from dataclasses import dataclass, field
from typing import Any

import httpx

from services.core.people.accounts.totp import code_of, step_of
from services.core.people.staff_accounts.actions import create_staff
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import Database
from tests.support.clock import FakeClock
from tests.support.http import make_place, new_address, new_phone, sms_to

_FIRST_PASSWORD = re.compile(r"[a-z2-7]{5}(-[a-z2-7]{5}){4}")


async def first_password_sent_to(database: Database, phone: str) -> str:
    """Return the newest first password that waits for a phone."""
    passwords = [match[0] for text in await sms_to(database, phone) if (match := _FIRST_PASSWORD.search(text))]
    assert passwords, "no first password was sent"
    return passwords[-1]


@dataclass
class Colleague:
    """A staff member with a password, an app, and recovery codes."""

    client: httpx.AsyncClient
    clock: FakeClock
    email: str
    password: str
    own_password: str = "river-window-copper-5-maps"
    secret: bytes = b""
    recovery_codes: list[str] = field(default_factory=list)
    tokens: dict[str, Any] = field(default_factory=dict)
    address: str = field(default_factory=new_address)

    def shown(self, offset: int = 0) -> str:
        """Return what the app shows, so many half minutes from now."""
        return code_of(self.secret, step_of(self.clock.now) + offset)

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a request that is logged in."""
        return {"Authorization": f"Bearer {self.tokens['access_token']}", "X-Forwarded-For": self.address}

    async def say(self, leaf: str, headers: dict[str, str] | None = None, **fields: str) -> httpx.Response:
        """Send a request of the log-in."""
        body = {"email": self.email, "password": self.password, **fields}
        sent = {"X-Forwarded-For": self.address, **(headers or {})}
        return await self.client.post(f"/v1/staff/auth/{leaf}", json=body, headers=sent)

    async def set_up(self) -> Colleague:
        """Set the app up with the first password and choose a password."""
        set_up = (await self.say("set-up")).json()
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(set_up["otpauth_url"]).query)
        self.secret = base64.b32decode(query["secret"][0])
        assert set_up["qr_svg"].startswith("<svg")
        answer = await self.say("set-up/confirm", code=self.shown(), new_password=self.own_password)
        assert answer.status_code == 200, answer.text
        self.password = self.own_password
        self.tokens = answer.json()
        self.recovery_codes = self.tokens["recovery_codes"]
        return self

    async def log_in(self, code: str) -> tuple[int, str]:
        """Try to log in; return status and code."""
        return status_and_code(await self.say("tokens", code=code))

    async def me(self) -> tuple[int, str]:
        """Ask who is logged in; return status and code."""
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        return status_and_code(await self.client.get("/v1/staff/me", headers=headers))

    async def refresh(self, token: str | None = None) -> httpx.Response:
        """Continue the session."""
        body = {"refresh_token": token or self.tokens["refresh_token"]}
        return await self.client.post("/v1/staff/auth/refresh", json=body)


async def new_colleague(client: httpx.AsyncClient, database: Database, clock: FakeClock) -> Colleague:
    """Return a colleague of a new site, whose first password has been sent."""
    place = await make_place(database)
    email, phone = f"{new_ref()}@wecare.example", new_phone()
    async with database.begin() as work:
        await create_staff(
            work, OPERATOR, email=email, display_name="Ming", role="staff", site=place.site, phone=phone
        )  # fmt: skip
    return Colleague(client, clock, email, await first_password_sent_to(database, phone))


def status_and_code(answer: httpx.Response) -> tuple[int, str]:
    """Return the status of an answer and the code of its problem."""
    return answer.status_code, answer.json().get("code", "") if answer.content else ""
