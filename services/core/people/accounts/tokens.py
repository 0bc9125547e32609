"""Access tokens and audio links: short-lived JSON Web Tokens (HS256), signed under a key with an id.

A token only identifies the session; each request checks in the database whether the session is live.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Self

import jwt

from services.core.people.accounts.errors import AccessTokenInvalidError
from services.core.people.accounts.rules import ACCESS_LIFETIME, STAFF_ACCESS_LIFETIME
from services.core.platform.settings import Settings

_ALGORITHM: Final = "HS256"
_ISSUER: Final = "smartwatch"
_AUDIENCE: Final = "smartwatch-family"
# Audience of audio links, which players open without headers: valid for one voice message for minutes, nothing else.
_LINK_AUDIENCE: Final = "smartwatch-audio"
# Separate audiences: a guardian's token is rejected on staff routes, and a staff token on guardian routes.
_STAFF_AUDIENCE: Final = "smartwatch-staff"
LINK_LIFETIME: Final = timedelta(minutes=5)
# Tolerated clock difference between servers; a token issued further in the future is rejected.
_ISSUED_AHEAD: Final = timedelta(seconds=30)
# Issued tokens have about 400 characters; longer ones are rejected without parsing.
_MOST_CHARACTERS: Final = 2_000
# Tokens of which the signature is known to be right, about 1 kB each.
_KNOWN_MAX: Final = 4_096


@dataclass(frozen=True)
class AccessClaims:
    """The session and guardian of a token."""

    guardian_id: uuid.UUID
    session_id: uuid.UUID


@dataclass(frozen=True)
class StaffClaims:
    """The session and staff member of a token."""

    staff_id: uuid.UUID
    staff_session_id: uuid.UUID


@dataclass(frozen=True)
class AudioClaims(AccessClaims):
    """The session, guardian and voice message of an audio link."""

    child_id: uuid.UUID
    message_id: uuid.UUID


class AccessTokens:
    """Signs with the first key and verifies with every key; a rotation puts a new key first."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._keys = dict(keys)
        self._signing_key_id = next(iter(self._keys))
        # An app sends one token for its whole lifetime. What is invalid raises and is not kept.
        self._claims_of = lru_cache(maxsize=_KNOWN_MAX)(self._signed_claims)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the token service for these settings."""
        return cls({key_id: secret.get_secret_value() for key_id, secret in settings.token_keys.items()})

    def issue(self, claims: AccessClaims, now: datetime) -> str:
        """Return a token that is valid for ``ACCESS_LIFETIME`` from ``now``."""
        return self._sign(_AUDIENCE, (claims.guardian_id, claims.session_id), now, ACCESS_LIFETIME, {})

    def read(self, token: str, now: datetime) -> AccessClaims:
        """Return a token's claims; raises AccessTokenInvalidError for any defect."""
        claims = self._verify(token, _AUDIENCE, now)
        return AccessClaims(guardian_id=claims["sub"], session_id=claims["sid"])

    def issue_staff(self, claims: StaffClaims, now: datetime) -> str:
        """Return a staff member's token that is valid for ``STAFF_ACCESS_LIFETIME`` from ``now``."""
        return self._sign(_STAFF_AUDIENCE, (claims.staff_id, claims.staff_session_id), now, STAFF_ACCESS_LIFETIME, {})

    def read_staff(self, token: str, now: datetime) -> StaffClaims:
        """Return the claims of a staff member's token; raises AccessTokenInvalidError for any defect."""
        claims = self._verify(token, _STAFF_AUDIENCE, now)
        return StaffClaims(staff_id=claims["sub"], staff_session_id=claims["sid"])

    def issue_link(self, claims: AudioClaims, now: datetime) -> str:
        """Return the secret part of a link that opens one voice message for ``LINK_LIFETIME``."""
        more = {"child": str(claims.child_id), "msg": str(claims.message_id)}
        return self._sign(_LINK_AUDIENCE, (claims.guardian_id, claims.session_id), now, LINK_LIFETIME, more)

    def read_link(self, token: str, now: datetime) -> AudioClaims:
        """Return the claims of a link; raises AccessTokenInvalidError for any defect."""
        claims = self._verify(token, _LINK_AUDIENCE, now, "child", "msg")
        return AudioClaims(
            guardian_id=claims["sub"], session_id=claims["sid"], child_id=claims["child"], message_id=claims["msg"]
        )

    def _sign(
        self,
        audience: str,
        subject_and_session: tuple[uuid.UUID, uuid.UUID],
        now: datetime,
        lifetime: timedelta,
        more: Mapping[str, str],
    ) -> str:
        subject_id, session_id = subject_and_session
        return jwt.encode(
            {
                "iss": _ISSUER,
                "aud": audience,
                "sub": str(subject_id),
                "sid": str(session_id),
                "iat": int(now.timestamp()),
                "exp": int((now + lifetime).timestamp()),
                **more,
            },
            self._keys[self._signing_key_id],
            algorithm=_ALGORITHM,
            headers={"kid": self._signing_key_id},
        )

    def _verify(self, token: str, audience: str, now: datetime, *more: str) -> dict[str, uuid.UUID]:
        """Return the ids in a token: ``sub``, ``sid``, and those named in ``more``."""
        if len(token) > _MOST_CHARACTERS:
            raise AccessTokenInvalidError
        try:
            claims = self._claims_of(token, audience, more)
            _refuse_other_times(claims, now)
            return {name: uuid.UUID(claims[name]) for name in ("sub", "sid", *more)}
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            raise AccessTokenInvalidError from error

    def _signed_claims(self, token: str, audience: str, more: tuple[str, ...]) -> Mapping[str, Any]:
        """Return the claims of a token whose signature, audience and issuer are right, whatever its times."""
        key = self._keys[jwt.get_unverified_header(token)["kid"]]
        # The algorithm is fixed, never read from the header. Times are checked at each use, against the shared clock.
        claims: Mapping[str, Any] = jwt.decode(
            token, key, algorithms=[_ALGORITHM], audience=audience, issuer=_ISSUER,
            options={
                "require": ["iss", "aud", "sub", "sid", "iat", "exp", *more],
                "verify_exp": False, "verify_iat": False, "verify_nbf": False,
            },
        )  # fmt: skip
        return claims


def _refuse_other_times(claims: Mapping[str, Any], now: datetime) -> None:
    issued_at = datetime.fromtimestamp(claims["iat"], UTC)
    expires_at = datetime.fromtimestamp(claims["exp"], UTC)
    if now >= expires_at or issued_at > now + _ISSUED_AHEAD:
        raise AccessTokenInvalidError
