"""Access tokens: only ours, only of today, only signed the way we sign."""

from __future__ import annotations

import base64
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from services.core.people.accounts.errors import AccessTokenInvalidError
from services.core.people.accounts.tokens import AccessClaims, AccessTokens

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
OLD, NEW = "an old key of thirty-two bytes or more", "a new key of thirty-two bytes or more"
CLAIMS = AccessClaims(uuid.UUID(int=1), uuid.UUID(int=2))
TOKENS = AccessTokens({"new": NEW, "old": OLD})


def _said(**changes: Any) -> dict[str, Any]:
    issued_at_s = int(NOW.timestamp())
    claims = {
        "iss": "smartwatch", "aud": "smartwatch-family", "sub": str(CLAIMS.guardian_id),
        "sid": str(CLAIMS.session_id), "iat": issued_at_s, "exp": issued_at_s + 900,
    }  # fmt: skip
    return {name: value for name, value in (claims | changes).items() if value is not None}


def _signed(key: str = NEW, algorithm: str = "HS256", kid: str | None = "new", **changes: Any) -> str:
    return jwt.encode(_said(**changes), key, algorithm=algorithm, headers={"kid": kid} if kid else None)


def _unsigned() -> str:
    head = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": "new", "typ": "JWT"}).encode()).decode()
    body = base64.urlsafe_b64encode(json.dumps(_said()).encode()).decode()
    return f"{head.rstrip('=')}.{body.rstrip('=')}."


def test_a_token_says_whose_session_it_is_for_fifteen_minutes() -> None:
    token = TOKENS.issue(CLAIMS, NOW)
    assert TOKENS.read(token, NOW) == CLAIMS
    assert TOKENS.read(token, NOW + timedelta(minutes=14, seconds=59)) == CLAIMS
    with pytest.raises(AccessTokenInvalidError):
        TOKENS.read(token, NOW + timedelta(minutes=15))


def test_the_first_key_signs_and_each_key_verifies() -> None:
    assert jwt.get_unverified_header(TOKENS.issue(CLAIMS, NOW))["kid"] == "new"
    assert TOKENS.read(_signed(OLD, kid="old"), NOW) == CLAIMS


@pytest.mark.parametrize(
    "token",
    [
        _signed("another key of thirty-two bytes or so"),
        _signed(OLD, kid="new"),
        _signed(kid="gone"),
        _signed(kid=None),
        _signed("another key of sixty-four bytes, which is what HS512 asks for!!!!!", "HS512"),
        _signed(NEW + NEW, "HS512"),
        _unsigned(),
        _signed(iss="somebody-else"),
        _signed(aud="smartwatch-staff"),
        _signed(aud=None),
        _signed(exp=None),
        _signed(sid=None),
        _signed(sid="not a uuid"),
        _signed(sub=str(uuid.UUID(int=1)) + "\x00"),
        _signed(exp="soon"),
        _signed(exp=10**30),
        _signed(iat=int(NOW.timestamp()) + 3600, exp=int(NOW.timestamp()) + 7200),
        _signed()[:-2],
        _signed() + "x",
        "a.b.c",
        "",
        "....",
        "\ud800",
        "é.é.é",
        "x" * 100_000,
    ],
)
def test_anything_else_is_refused_alike(token: str) -> None:
    with pytest.raises(AccessTokenInvalidError):
        TOKENS.read(token, NOW)


def test_a_body_that_was_changed_is_refused() -> None:
    head, _, signature = _signed().split(".")
    other = _signed(sub=str(uuid.UUID(int=9))).split(".")[1]
    with pytest.raises(AccessTokenInvalidError):
        TOKENS.read(f"{head}.{other}.{signature}", NOW)
