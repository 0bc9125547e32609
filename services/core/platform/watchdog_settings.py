"""The settings of `smartwatch watchdog`: what it asks, and how it reaches the person who runs the system."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from services.core.platform.sms_settings import is_safe_address

_MAIL: Final = re.compile(r"[^@\s,<>]+@[^@\s,<>]+")
_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")


class WatchdogSettings(BaseSettings):
    """The part of :class:`Settings` that is about the watchdog."""

    watchdog_state: Path = Field(
        Path("var/default/watchdog.json"), description="file in which the watchdog notes what it saw and sent, and when"
    )
    watchdog_pages: str = Field(
        "",
        description="addresses of the `/readyz` that the watchdog asks, comma separated; empty: those of this machine",
    )
    watchdog_mail_to: str = Field("", description="addresses that the watchdog mails to, comma separated")
    watchdog_mail_from: str = Field("", description="sender of the watchdog's mail")
    watchdog_smtp_host: str = Field("", description="SMTP server of the watchdog's mail")
    watchdog_smtp_port: int = Field(
        587, ge=1, le=65535, description="port of the SMTP server; 465 is TLS from the start, any other STARTTLS"
    )
    watchdog_smtp_user: str = Field("", description="user at the SMTP server; empty: no log-in")
    watchdog_smtp_password: SecretStr = Field(SecretStr(""), description="password at the SMTP server")
    watchdog_webhook_url: str = Field("", description="address that the watchdog posts its line to")
    watchdog_webhook_secret: SecretStr = Field(
        SecretStr(""), description="secret of the signature of the watchdog's posts; empty: not signed"
    )
    watchdog_sms_to: str = Field(
        "", description="numbers (+...) that the watchdog texts, comma separated, by SMARTWATCH_SMS_ROUTES"
    )
    watchdog_sms_locale: str = Field(
        "en", pattern="^(en|zh-Hans|vi|tr)$", description="locale of the watchdog's text messages"
    )

    @field_validator("watchdog_webhook_url")
    @classmethod
    def _check_watchdog_url(cls, value: str) -> str:
        if value and not is_safe_address(value):
            message = "is no https:// address; plain http is accepted for loopback only"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _check_watchdog(self) -> Self:
        mails, numbers = self.watchdog_mails, self.watchdog_numbers
        faults = [f"watchdog_mail_to: {mail!r} is no mail address" for mail in mails if _MAIL.fullmatch(mail) is None]
        faults += [
            "watchdog_sms_to has a number that is not +..." for number in numbers if _PHONE.fullmatch(number) is None
        ]
        if mails and not (self.watchdog_smtp_host and _MAIL.fullmatch(self.watchdog_mail_from)):
            faults.append("watchdog_mail_to needs watchdog_smtp_host and watchdog_mail_from")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def watchdog_mails(self) -> tuple[str, ...]:
        """The addresses of ``watchdog_mail_to``."""
        return _parts(self.watchdog_mail_to)

    @property
    def watchdog_numbers(self) -> tuple[str, ...]:
        """The numbers of ``watchdog_sms_to``."""
        return _parts(self.watchdog_sms_to)


def _parts(written: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in written.split(",") if part.strip())
