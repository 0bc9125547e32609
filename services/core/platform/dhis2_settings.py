"""The settings of a DHIS2 system that gets the programme's public numbers."""

from __future__ import annotations

from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from services.core.platform.sms_settings import is_safe_address


class Dhis2Settings(BaseSettings):
    """The part of :class:`Settings` that is about DHIS2."""

    dhis2_url: str = Field(
        "", description="address of a DHIS2 system, such as `https://dhis2.example.org`; empty: nothing is sent to one"
    )
    dhis2_token: SecretStr = Field(SecretStr(""), description="personal access token of the DHIS2 user that imports")
    dhis2_user: str = Field("", description="DHIS2 user that imports, where there is no token")
    dhis2_password: SecretStr = Field(SecretStr(""), description="password of the DHIS2 user")
    dhis2_batch_values: int = Field(500, ge=1, le=10_000, description="data values in one request to DHIS2")

    @field_validator("dhis2_url")
    @classmethod
    def _check_dhis2_url(cls, value: str) -> str:
        if value and not is_safe_address(value):
            message = "is no https:// address; plain http is accepted for loopback only"
            raise ValueError(message)
        if "?" in value or "#" in value:
            message = "is more than an address: leave out what follows ? and #"
            raise ValueError(message)
        return value.rstrip("/").removesuffix("/api")

    @model_validator(mode="after")
    def _check_dhis2(self) -> Self:
        has_token = bool(self.dhis2_token.get_secret_value())
        has_password = bool(self.dhis2_user and self.dhis2_password.get_secret_value())
        if self.dhis2_url and has_token is has_password:
            message = "dhis2_url needs dhis2_token, or dhis2_user with dhis2_password, and not both"
            raise ValueError(message)
        return self
