"""HTTP bodies of log-in, PIN and sessions."""

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
        description="from an earlier log-in; proves that the device is known",
    ),
]


SessionLabel = Annotated[
    str,
    Field(
        max_length=40,
        examples=["Redmi 12"],
        description="the device's own name, by which guardians tell their phones apart; may be empty",
    ),
]


HandOutCode = Annotated[
    str,
    TypedCode,
    Field(
        min_length=1,
        max_length=20,
        pattern=r"^[A-Za-z2-7 -]+$",
        description="displayed at the hand-out of the watches",
    ),
]


Keep = Annotated[
    Literal["json", "cookie"],
    Field(
        description="cookie: the refresh and device tokens are set as cookies that no script can read, for pages of "
        "this server, which send `X-SmartWatch: web`; 403 for others"
    ),
]


class LoginCodeRequest(RequestBody):
    """Request for a one-time code."""

    phone: Phone
    country: Country | None = None
    locale: Locale | None = None
    device_token: DeviceToken | None = None
    hand_out_code: HandOutCode | None = None


class LoginCodeResponse(ResponseBody):
    """The same for every phone."""

    challenge_id: uuid.UUID
    challenge_secret: str = Field(description="send it with the code: a code works only with its own secret")
    expires_in_s: int = Field(examples=[600])
    resend_after_s: int = Field(examples=[60])


class LogInRequest(RequestBody):
    """The code received by SMS, with its challenge."""

    challenge_id: uuid.UUID
    challenge_secret: Annotated[str, Field(min_length=1, max_length=100, pattern=SECRET_PATTERN)]
    phone: Phone
    code: Annotated[str, TypedCode, Field(min_length=1, max_length=12, examples=["482913"])]
    country: Country | None = None
    locale: Locale | None = None
    device_token: DeviceToken | None = None
    label: SessionLabel = ""
    keep: Keep = "json"


class SlipLogInRequest(RequestBody):
    """A printed slip, and the phone number with which the family enrolled."""

    slip_code: Annotated[
        str, TypedCode, Field(min_length=1, max_length=30, pattern=r"^[A-Za-z2-7 -]+$", examples=["k3mq-q2x7-abcd"])
    ]
    phone: Phone
    country: Country | None = None
    locale: Locale | None = None
    device_token: DeviceToken | None = None
    label: SessionLabel = ""
    keep: Keep = "json"


class RefreshRequest(RequestBody):
    """The newest refresh token of a session; with `keep: cookie` it is in the cookie and omitted here."""

    refresh_token: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    keep: Keep = "json"

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.refresh_token is None) != (self.keep == "cookie"):
            message = "a refresh token in the body or in the cookie"
            raise ValueError(message)
        return self


class TokenResponse(ResponseBody):
    """Tokens of a session; the refresh token is returned only once."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - a word of RFC 6750
    expires_in_s: int = Field(examples=[900])
    refresh_token: str = Field(description="empty: kept in a cookie")
    refresh_expires_in_s: int = Field(examples=[2592000])
    guardian_id: uuid.UUID
    limited: bool = Field(description="true: unknown device; only the second step and log-out are allowed")
    device_token: str | None = Field(
        description="store it and send it with later log-ins; null: keep the stored one, or it is kept in a cookie"
    )


class SecondStepRequest(RequestBody):
    """Second factor besides access to the phone's text messages: exactly one of the two fields."""

    pin: Annotated[str, TypedCode, Field(pattern=r"^[0-9]{1,12}$", examples=["730418"])] | None = None
    watch_code: Annotated[str, TypedCode, Field(pattern=r"^[0-9]{1,12}$", examples=["482913"])] | None = Field(
        None, description="shown by the paired watch of a child of the family"
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.pin is None) == (self.watch_code is None):
            message = "one of pin and watch_code"
            raise ValueError(message)
        return self


class SecondStepResponse(ResponseBody):
    """Whether the session still needs its second step."""

    needed: bool


class StepUpRequest(RequestBody):
    """The PIN; or, where none is set, a fresh code with its challenge."""

    pin: Annotated[str, TypedCode, Field(pattern=r"^[0-9]{1,12}$", examples=["730418"])] | None = None
    challenge_id: uuid.UUID | None = None
    challenge_secret: Annotated[str, Field(min_length=1, max_length=100, pattern=SECRET_PATTERN)] | None = None
    code: Annotated[str, TypedCode, Field(min_length=1, max_length=12, examples=["482913"])] | None = None

    @model_validator(mode="after")
    def _pin_or_whole_code(self) -> Self:
        of_code = [self.challenge_id, self.challenge_secret, self.code]
        given = [field is not None for field in of_code]
        if any(given) if self.pin is not None else not all(given):
            message = "pin, or challenge_id, challenge_secret and code"
            raise ValueError(message)
        return self


class NewPinRequest(RequestBody):
    """A new PIN of the guardian."""

    pin: Annotated[str, TypedCode, Field(min_length=1, max_length=40, examples=["730418"])]


class PinStateResponse(ResponseBody):
    """Whether a PIN is set; the PIN itself is never returned."""

    is_set: bool


class MySession(ResponseBody):
    """A device on which the caller is logged in."""

    session_id: uuid.UUID
    label: str = Field(examples=["Redmi 12"], description="the device's own name, not verified; may be empty")
    created_at: datetime
    last_used_at: datetime
    limited: bool
    current: bool = Field(description="the session of this request")


class MySessionsResponse(ResponseBody):
    """All open sessions, newest first."""

    sessions: list[MySession]


class WaitingLogIn(ResponseBody):
    """A log-in of another guardian on a new device that waits for an approval: which phone, when, whose number."""

    log_in_id: uuid.UUID
    guardian_id: uuid.UUID
    display_name: str
    phone: str | None = Field(examples=["+8613800138000"], description="null: the guardian hides it from the family")
    label: str = Field(examples=["Redmi 12"], description="the new device's own name, not verified; may be empty")
    created_at: datetime
    approvable_from_at: datetime = Field(description="5 seconds after this list first showed the log-in to the caller")
    approvable_until_at: datetime = Field(description="30 minutes after the log-in; it can still be refused later")


class WaitingLogInsResponse(ResponseBody):
    """Log-ins that the caller may approve, oldest first."""

    log_ins: list[WaitingLogIn]


class NewPhonesBlock(ResponseBody):
    """Whether new phones are kept from logging in with the caller's number."""

    blocked_until_at: datetime | None = Field(description="null: new phones can log in, with their second step")
