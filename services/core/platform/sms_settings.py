"""The settings of text messages: routes by country, providers, their addresses and keys."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode

# Providers that a route may name. `file` is for development.
PROVIDERS: Final = ("aliyun", "esms", "netgsm", "twilio", "webhook", "file")
# The route of every number that no prefix covers, and the second attempt of those that one does.
OTHER: Final = "*"
_PREFIX: Final = re.compile(r"\+[1-9][0-9]{0,6}")
_SECRET_BYTES_MIN: Final = 32
# Settings that each provider needs beside its address.
_NEEDED: Final = {
    "aliyun": (
        "sms_aliyun_access_key_id", "sms_aliyun_access_key_secret", "sms_aliyun_sign_name", "sms_templates_file",
    ),
    "esms": ("sms_esms_api_key", "sms_esms_secret_key", "sms_esms_brandname"),
    "netgsm": ("sms_netgsm_usercode", "sms_netgsm_password", "sms_netgsm_header"),
    "twilio": ("sms_twilio_account_sid", "sms_twilio_auth_token", "sms_twilio_from"),
    "webhook": ("sms_webhook_url", "sms_webhook_secret", "sms_webhook_country"),
    "file": (),
}  # fmt: skip


@dataclass(frozen=True)
class SmsRoutes:
    """Which providers send to which numbers, by the prefix of the number. Pure."""

    providers_by_prefix: dict[str, tuple[str, ...]]
    # Entries that were written without a prefix; production rejects them.
    without_prefix: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``+86=aliyun,+84=esms|webhook,*=twilio``; raises ValueError with a sentence."""
        routes: dict[str, tuple[str, ...]] = {}
        without: list[str] = []
        for entry in (part.strip() for part in text.split(",") if part.strip()):
            prefix, sign, names = (part.strip() for part in entry.rpartition("="))
            providers = tuple(name.strip() for name in names.split("|"))
            if not sign:
                prefix = OTHER
                without.append(entry)
            if prefix != OTHER and _PREFIX.fullmatch(prefix) is None:
                message = f"sms_routes: {prefix!r} is no prefix: write +86, or * for every other number"
                raise ValueError(message)
            for name in providers:
                if name not in PROVIDERS:
                    message = f"sms_routes: {name!r} is no provider; there are {', '.join(PROVIDERS)}"
                    raise ValueError(message)
            if prefix in routes:
                message = f"sms_routes has two routes for {prefix}"
                raise ValueError(message)
            routes[prefix] = providers
        if not routes:
            message = "sms_routes names no route"
            raise ValueError(message)
        return cls(routes, tuple(without))

    def __str__(self) -> str:
        """Return the routes as they are written in the setting."""
        return ",".join(f"{prefix}={'|'.join(names)}" for prefix, names in self.providers_by_prefix.items())

    @property
    def providers(self) -> tuple[str, ...]:
        """Every provider that is named, each once."""
        return tuple(dict.fromkeys(name for names in self.providers_by_prefix.values() for name in names))

    def providers_of(self, phone: str) -> tuple[str, ...]:
        """Return the providers to try for a number (E.164): those of its longest prefix, then those of ``*``."""
        fitting = [prefix for prefix in self.providers_by_prefix if prefix != OTHER and phone.startswith(prefix)]
        first = self.providers_by_prefix[max(fitting, key=len)] if fitting else ()
        return tuple(dict.fromkeys((*first, *self.providers_by_prefix.get(OTHER, ()))))

    def faults_in_production(self) -> list[str]:
        """Return what makes these routes unfit for families, a sentence each."""
        faults = [f"sms_routes: {entry!r} has no prefix: write +86={entry}" for entry in self.without_prefix]
        if not faults and set(self.providers_by_prefix) == {OTHER}:
            # Strangers ask for codes to numbers of their own premium services wherever every country is served.
            faults.append("sms_routes has * alone: name the prefix of each country that families live in")
        if "file" in self.providers:
            faults.append("sms_routes: file writes one-time codes into a file and is for development only")
        return faults


class SmsSettings(BaseSettings):
    """The part of :class:`Settings` that is about text messages."""

    sms_routes: Annotated[SmsRoutes, NoDecode] = Field(
        SmsRoutes({OTHER: ("file",)}),
        description="prefix=provider pairs, comma separated, such as `+86=aliyun,+84=esms,+90=netgsm,*=twilio`; the "
        "longest prefix wins, `|` separates a second provider, `*` is every other number and the last attempt of all; "
        f"providers: {', '.join(PROVIDERS)}",
    )
    sms_templates_file: Path | None = Field(
        None, description="TOML file of the template ids of each kind of text and locale; needed by `aliyun`"
    )
    sms_file: Path = Field(
        Path("var/default/sms.jsonl"),
        description="file to which the development provider appends {phone, locale, text}",
    )
    sms_aliyun_url: str = Field("https://dysmsapi.aliyuncs.com", description="address of Aliyun's SMS API")
    sms_aliyun_access_key_id: str = Field("", description="id of Aliyun's access key")
    sms_aliyun_access_key_secret: SecretStr = Field(SecretStr(""), description="secret of Aliyun's access key")
    sms_aliyun_sign_name: str = Field("", description="approved SMS signature at Aliyun")
    sms_esms_url: str = Field("https://rest.esms.vn", description="address of eSMS.vn")
    sms_esms_api_key: str = Field("", description="ApiKey at eSMS.vn")
    sms_esms_secret_key: SecretStr = Field(SecretStr(""), description="SecretKey at eSMS.vn")
    sms_esms_brandname: str = Field("", description="registered brand name at eSMS.vn")
    sms_netgsm_url: str = Field("https://api.netgsm.com.tr", description="address of Netgsm")
    sms_netgsm_usercode: str = Field("", description="user code of the API user at Netgsm")
    sms_netgsm_password: SecretStr = Field(SecretStr(""), description="password of the API user at Netgsm")
    sms_netgsm_header: str = Field("", description="registered sender name (msgheader) at Netgsm")
    sms_twilio_url: str = Field("https://api.twilio.com", description="address of Twilio")
    sms_twilio_account_sid: str = Field("", description="Account SID at Twilio")
    sms_twilio_auth_token: SecretStr = Field(
        SecretStr(""), description="Auth Token at Twilio; also signs its delivery reports"
    )
    sms_twilio_from: str = Field("", description="sending number (+...) or Messaging Service SID (MG...) at Twilio")
    sms_webhook_url: str = Field("", description="address of a gateway of your own that takes texts by signed webhook")
    sms_webhook_secret: SecretStr = Field(
        SecretStr(""), description="secret of the webhook's signature; 32 bytes or more"
    )
    sms_webhook_country: str = Field(
        "",
        description="country (ISO 3166-1) in which the webhook's operator processes numbers",
        pattern="^([A-Z]{2})?$",
    )
    sms_balance_least: Annotated[dict[str, float], NoDecode] = Field(
        default={"esms": 500_000.0, "netgsm": 200.0, "twilio": 20.0},
        description="provider=balance pairs, comma separated, in the account's currency; below it "
        "`smartwatch watchdog` warns; empty: never",
    )

    @field_validator("sms_routes", mode="before")
    @classmethod
    def _read_sms_routes(cls, value: object) -> object:
        return SmsRoutes.parse(value) if isinstance(value, str) else value

    @field_validator("sms_balance_least", mode="before")
    @classmethod
    def _read_balances(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        message = "is no list such as esms=500000,twilio=20"
        try:
            balances = {name.strip(): float(least) for name, _, least in pairs}
        except ValueError as error:
            raise ValueError(message) from error
        if not set(balances) <= set(PROVIDERS) or not all(0 <= least < float("inf") for least in balances.values()):
            raise ValueError(message)
        return balances

    @field_validator("sms_aliyun_url", "sms_esms_url", "sms_netgsm_url", "sms_twilio_url", "sms_webhook_url")
    @classmethod
    def _check_sms_url(cls, value: str) -> str:
        if value and not is_safe_address(value):
            message = "is no https:// address; plain http is accepted for loopback only"
            raise ValueError(message)
        return value.rstrip("/")

    @model_validator(mode="after")
    def _check_sms_providers(self) -> Self:
        faults = [
            f"{name} is needed by the provider {provider}"
            for provider in self.sms_routes.providers
            for name in _NEEDED[provider]
            if not _is_set(getattr(self, name))
        ]
        secret = self.sms_webhook_secret.get_secret_value().encode()
        if secret and len(secret) < _SECRET_BYTES_MIN:
            faults.append(f"sms_webhook_secret needs at least {_SECRET_BYTES_MIN} bytes")
        if faults:
            raise ValueError("; ".join(faults))
        return self


def _is_set(value: object) -> bool:
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)


def is_safe_address(address: str) -> bool:
    """Return whether an address is https, or http to this machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return False
    if parts.scheme == "https":
        return bool(host) and not parts.username
    return parts.scheme == "http" and is_loopback(host)


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine by its address, or is called localhost."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
