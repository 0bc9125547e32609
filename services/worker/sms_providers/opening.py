"""Builds the router from the settings."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import httpx

from services.core.platform.clock import Clock
from services.core.platform.crypto.vault import Vault
from services.core.platform.outbox.sms_reports import report_address
from services.core.platform.settings import Settings
from services.worker.sms_providers.aliyun import AliyunAccount, AliyunSms
from services.worker.sms_providers.client import TIMEOUT_S, ProviderClient
from services.worker.sms_providers.esms import EsmsAccount, EsmsSms
from services.worker.sms_providers.file import FileSms
from services.worker.sms_providers.interface import SmsProvider
from services.worker.sms_providers.netgsm import NetgsmAccount, NetgsmSms
from services.worker.sms_providers.router import SmsRouter
from services.worker.sms_providers.templates import SmsTemplates, read_templates
from services.worker.sms_providers.twilio import TwilioAccount, TwilioSms
from services.worker.sms_providers.webhook import WebhookSms

# The providers that send approved templates.
TEMPLATED: Final = ("aliyun",)


@contextlib.asynccontextmanager
async def open_router(settings: Settings, vault: Vault, clock: Clock) -> AsyncIterator[SmsRouter]:
    """Yield the router with the providers that the routes name; raises TemplatesBrokenError."""
    async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as client:
        builder = _Builder(settings, vault, clock, ProviderClient(client))
        yield SmsRouter(settings.sms_routes, {name: builder.build(name) for name in settings.sms_routes.providers})


def templates_of(settings: Settings, provider: str) -> SmsTemplates:
    """Return the templates of a provider; raises TemplatesBrokenError."""
    return read_templates(settings.sms_templates_file or Path("sms_templates.toml"), provider)


class _Builder:
    def __init__(self, settings: Settings, vault: Vault, clock: Clock, client: ProviderClient) -> None:
        self._settings = settings
        self._vault = vault
        self._clock = clock
        self._client = client

    def build(self, name: str) -> SmsProvider:
        settings, client = self._settings, self._client
        match name:
            case "aliyun":
                account = AliyunAccount(
                    settings.sms_aliyun_access_key_id, settings.sms_aliyun_access_key_secret.get_secret_value(),
                    settings.sms_aliyun_sign_name,
                )  # fmt: skip
                templates = templates_of(settings, name)
                return AliyunSms(client, settings.sms_aliyun_url, account, templates, self._clock)
            case "esms":
                return EsmsSms(
                    client,
                    settings.sms_esms_url,
                    EsmsAccount(
                        settings.sms_esms_api_key, settings.sms_esms_secret_key.get_secret_value(),
                        settings.sms_esms_brandname, self._report_address(name),
                    ),
                )  # fmt: skip
            case "netgsm":
                return NetgsmSms(
                    client,
                    settings.sms_netgsm_url,
                    NetgsmAccount(
                        settings.sms_netgsm_usercode, settings.sms_netgsm_password.get_secret_value(),
                        settings.sms_netgsm_header,
                    ),
                )  # fmt: skip
            case "twilio":
                return TwilioSms(
                    client,
                    settings.sms_twilio_url,
                    TwilioAccount(
                        settings.sms_twilio_account_sid, settings.sms_twilio_auth_token.get_secret_value(),
                        settings.sms_twilio_from, self._report_address(name),
                    ),
                )  # fmt: skip
            case "webhook":
                secret = settings.sms_webhook_secret.get_secret_value()
                return WebhookSms(client, settings.sms_webhook_url, secret, settings.sms_webhook_country, self._clock)
            case _:
                return FileSms(settings.sms_file)

    def _report_address(self, name: str) -> str:
        """Return where the provider reports; empty where it cannot reach this machine."""
        is_public = self._settings.public_url.startswith("https://")
        return report_address(self._settings.public_url, self._vault, name) if is_public else ""
