"""Schemas for staff log-in and accounts."""

import uuid
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from services.api.schema_base import RequestBody, ResponseBody
from services.api.schema_fields import SECRET_PATTERN, Phone, TypedCode

# No address contains control characters, and Postgres rejects NUL in a parameter.
Email = Annotated[
    str, Field(min_length=3, max_length=254, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["ming@wecare.example"])
]
Password = Annotated[str, Field(min_length=1, max_length=200, examples=["mountain-lantern-quiet-river"])]
NewPassword = Annotated[
    str,
    Field(
        min_length=12, max_length=200, examples=["river-window-copper-5-maps"], description="the self-chosen password"
    ),
]
Role = Literal["admin", "manager", "staff", "coordinator", "factory"]


Keep = Annotated[
    Literal["json", "cookie"],
    Field(
        description="cookie: the refresh token is set as a cookie that no script can read, for pages of this server, "
        "which send `X-SmartWatch: web`; 403 for others"
    ),
]


class StaffPasswordRequest(RequestBody):
    """Address and password, to set up the authenticator app."""

    email: Email
    password: Password


class StaffLogInRequest(StaffPasswordRequest):
    """Address, password and the current code of the authenticator app."""

    code: Annotated[
        str,
        TypedCode,
        Field(min_length=1, max_length=20, examples=["482913"], description="six digits, or a recovery code"),
    ]
    keep: Keep = "json"


class ConfirmSetUpRequest(StaffLogInRequest):
    """The app's first code, and a self-chosen password that replaces the first password."""

    new_password: NewPassword


class StaffRefreshRequest(RequestBody):
    """The newest refresh token of a session; with `keep: cookie` it is in the cookie and omitted here."""

    refresh_token: Annotated[str, Field(min_length=1, max_length=200, pattern=SECRET_PATTERN)] | None = None
    keep: Keep = "json"

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.refresh_token is None) != (self.keep == "cookie"):
            message = "a refresh token in the body or in the cookie"
            raise ValueError(message)
        return self


class StaffSetUpResponse(ResponseBody):
    """The secret for the authenticator app; it is returned only before the set-up is confirmed."""

    otpauth_url: str
    qr_svg: str = Field(description="the QR code of the URL as an SVG element")


class StaffTokenResponse(ResponseBody):
    """A staff session's tokens; the refresh token is not stored in readable form."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - a word of RFC 6750
    expires_in_s: int = Field(examples=[600])
    refresh_token: str = Field(description="empty: kept in a cookie")
    staff_id: uuid.UUID


class StaffSetUpDoneResponse(StaffTokenResponse):
    """The first session, and recovery codes for a lost phone; each works once, and they are returned only here."""

    recovery_codes: list[str]


class AccountScope(ResponseBody):
    """One programme or one site in an account's scope."""

    programme_id: uuid.UUID | None
    site_id: uuid.UUID | None


class ServedScope(AccountScope):
    """One programme or one site that the caller serves, with what a page needs to name it and to show its times."""

    programme: str
    simulated: bool = Field(description="made up for demonstrations: in no count of a real programme")
    site: str | None = Field(description="null: every site of the programme; so are the next three")
    country: str | None
    timezone: str | None
    locale: str | None


class StaffMeResponse(ResponseBody):
    """The caller's name, role and scopes."""

    staff_id: uuid.UUID
    email: str
    display_name: str
    role: str
    permissions: list[str]
    scopes: list[ServedScope]


class StaffSession(ResponseBody):
    """A live session of the caller in a browser."""

    staff_session_id: uuid.UUID
    created_at: datetime
    last_used_at: datetime
    current: bool


class StaffSessionsResponse(ResponseBody):
    """Every live session, newest first."""

    sessions: list[StaffSession]


class NewAccountRequest(RequestBody):
    """A colleague's account for one programme or one site in the caller's scope."""

    email: Email
    display_name: Annotated[str, Field(min_length=1, max_length=80, examples=["Ming"])]
    role: Role
    phone: Phone
    employed_by_factory: bool = Field(
        description="whether the factory employs the colleague; the role must then be `factory`"
    )
    programme_id: uuid.UUID | None = None
    site_id: uuid.UUID | None = None


class ResetAccountRequest(RequestBody):
    """The colleague's new phone number, if the number changes as well."""

    phone: Phone | None = None


class ChangeRoleRequest(RequestBody):
    """The colleague's new role."""

    role: Role


class ChangePasswordRequest(RequestBody):
    """The old password, a code of the authenticator app, and the new password."""

    password: Password
    code: Annotated[str, Field(min_length=6, max_length=6, pattern=r"^[0-9]{6}$", examples=["482913"])]
    new_password: NewPassword


class RenewRecoveryCodesRequest(RequestBody):
    """The password and a code of the authenticator app; a recovery code is not enough."""

    password: Password
    code: Annotated[str, Field(min_length=6, max_length=6, pattern=r"^[0-9]{6}$", examples=["482913"])]


class RecoveryCodesResponse(ResponseBody):
    """New recovery codes for a lost phone; each works once, and they are returned only here."""

    recovery_codes: list[str]


class AccountRequestResponse(ResponseBody):
    """A request to open, reset or promote an account; it is carried out after a second person's approval."""

    request_id: uuid.UUID
    kind: Literal["open", "reset", "role"]
    state: Literal["asked", "done", "withdrawn"]
    email: str
    display_name: str
    role: str
    phone: str | None = Field(
        description="receives the first password; null for a reset without a new number, and for a change of role"
    )
    employed_by_factory: bool
    programme_id: uuid.UUID | None
    site_id: uuid.UUID | None
    staff_id: uuid.UUID | None = Field(description="the account; null until it exists")
    asked_by: uuid.UUID
    asked_by_name: str
    asked_at: datetime
    approved_by: uuid.UUID | None
    approved_by_name: str | None
    ended_at: datetime | None


class AccountRequestsResponse(ResponseBody):
    """Requests, newest first; a request older than 7 days can no longer be approved."""

    requests: list[AccountRequestResponse]


class AccountResponse(ResponseBody):
    """A staff account."""

    staff_id: uuid.UUID
    email: str
    display_name: str
    role: str
    set_up: bool = Field(description="whether an authenticator app is set up")
    employed_by_factory: bool
    approves_from: datetime = Field(description="the account cannot approve before this time, whatever its role")
    ended_at: datetime | None
    scopes: list[AccountScope]


class AccountsResponse(ResponseBody):
    """Accounts by address."""

    accounts: list[AccountResponse]
