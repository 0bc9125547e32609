"""Log-in over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from services.api.schema_base import RequestBody, ResponseBody
from services.api.schema_fields import SECRET_PATTERN, Country, Phone, TypedCode

Locale = Annotated[
    str, Field(min_length=2, max_length=35, pattern=r"^[A-Za-z0-9-]+$", examples=["zh-Hans"], description="BCP 47")
]


DeviceToken = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        pattern=SECRET_PATTERN,
        description="of an earlier log-in on this device; proves that it is known",
    ),
]


HandOutCode = Annotated[
    str,
    TypedCode,
    Field(
        min_length=1,
        max_length=20,
        pattern=r"^[A-Za-z2-7 -]+$",
        description="from the wall, where watches are handed out",
    ),
]


class LoginCodeRequest(RequestBody):
    """Where to send a one-time code."""

    phone: Phone
    country: Country | None = None
    locale: Locale | None = None
    device_token: DeviceToken | None = None
    hand_out_code: HandOutCode | None = None


class LoginCodeResponse(ResponseBody):
    """The same for every phone."""

    challenge_id: uuid.UUID
    challenge_secret: str = Field(description="said again with the code: it works for the device that asked")
    expires_in_s: int = Field(examples=[600])
    resend_after_s: int = Field(examples=[60])


class LogInRequest(RequestBody):
    """The code that came by SMS."""

    challenge_id: uuid.UUID
    challenge_secret: Annotated[str, Field(min_length=1, max_length=100, pattern=SECRET_PATTERN)]
    phone: Phone
    code: Annotated[str, TypedCode, Field(min_length=1, max_length=12, examples=["482913"])]
    country: Country | None = None
    locale: Locale | None = None
    device_token: DeviceToken | None = None


class SlipLogInRequest(RequestBody):
    """A printed slip, and the number the family enrolled with."""

    slip_code: Annotated[
        str, TypedCode, Field(min_length=1, max_length=30, pattern=r"^[A-Za-z2-7 -]+$", examples=["k3mq-q2x7-abcd"])
    ]
    phone: Phone
    country: Country | None = None
    locale: Locale | None = None
    device_token: DeviceToken | None = None


class RefreshRequest(RequestBody):
    """The newest refresh token of a session."""

    refresh_token: Annotated[str, Field(min_length=1, max_length=200)]


class TokenResponse(ResponseBody):
    """A session's tokens; the refresh token is told once."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - a word of RFC 6750
    expires_in_s: int = Field(examples=[900])
    refresh_token: str
    refresh_expires_in_s: int = Field(examples=[2592000])
    guardian_id: uuid.UUID
    limited: bool = Field(description="true: a new device; nothing but the second step and logging out is answered")
    device_token: str | None = Field(description="keep it and send it with later log-ins; null: keep the one you have")


class SecondStepRequest(RequestBody):
    """What proves more than that one receives the guardian's text messages: one of the two."""

    pin: Annotated[str, TypedCode, Field(pattern=r"^[0-9]{1,12}$", examples=["730418"])] | None = None
    watch_code: Annotated[str, TypedCode, Field(pattern=r"^[0-9]{1,12}$", examples=["482913"])] | None = Field(
        None, description="as the watch of a child of the family shows it"
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.pin is None) == (self.watch_code is None):
            message = "one of pin and watch_code"
            raise ValueError(message)
        return self


class SecondStepResponse(ResponseBody):
    """Whether the session still lacks its second step."""

    needed: bool


class NewPinRequest(RequestBody):
    """A PIN of the guardian's own."""

    pin: Annotated[str, TypedCode, Field(min_length=1, max_length=40, examples=["730418"])]


class PinStateResponse(ResponseBody):
    """Whether there is a PIN; never which."""

    is_set: bool


class MySession(ResponseBody):
    """A phone or tablet on which the caller is logged in."""

    session_id: uuid.UUID
    created_at: datetime
    last_used_at: datetime
    limited: bool
    current: bool = Field(description="the session that asks")


class MySessionsResponse(ResponseBody):
    """Every session that stands, the newest first."""

    sessions: list[MySession]


class WaitingLogIn(ResponseBody):
    """Another guardian's log-in from a new device, which waits for a word."""

    log_in_id: uuid.UUID
    guardian_id: uuid.UUID
    display_name: str
    created_at: datetime


class WaitingLogInsResponse(ResponseBody):
    """Log-ins that the caller may speak for, the oldest first."""

    log_ins: list[WaitingLogIn]
