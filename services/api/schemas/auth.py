"""Log-in over HTTP."""

import uuid
from typing import Annotated, Literal

from pydantic import Field

from services.api.schemas.base import Asked, Told

Phone = Annotated[
    str, Field(min_length=4, max_length=32, examples=["+8613800138000"], description="E.164, or as written locally")
]
Locale = Annotated[
    str, Field(min_length=2, max_length=35, pattern=r"^[A-Za-z0-9-]+$", examples=["zh-Hans"], description="BCP 47")
]


class CodeRequest(Asked):
    """Where to send a one-time code."""

    phone: Phone
    locale: Locale | None = None


class CodeSent(Told):
    """The same for every phone."""

    challenge_id: uuid.UUID
    expires_in_s: int = Field(examples=[600])
    resend_after_s: int = Field(examples=[60])


class LogIn(Asked):
    """The code that came by SMS."""

    challenge_id: uuid.UUID
    phone: Phone
    code: Annotated[str, Field(min_length=1, max_length=12, examples=["482913"])]
    locale: Locale | None = None


class Refresh(Asked):
    """The newest refresh token of a session."""

    refresh_token: Annotated[str, Field(min_length=1, max_length=200)]


class TokenPair(Told):
    """A session's tokens; the refresh token is told once."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - a word of RFC 6750
    expires_in_s: int = Field(examples=[900])
    refresh_token: str
    refresh_expires_in_s: int = Field(examples=[2592000])
    guardian_id: uuid.UUID
