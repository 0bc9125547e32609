"""How a line reaches a person: mail, a webhook, a text message; every way that is configured."""

from __future__ import annotations

import asyncio
import json
import smtplib
import ssl
from collections.abc import Awaitable, Callable
from datetime import datetime
from email.message import EmailMessage
from typing import Final

import httpx

from services.core.devices.push.webhook import signed_headers
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.outbox.rules import Urgency
from services.core.platform.outbox.sms import SmsText
from services.core.platform.outbox.sms_texts import watchdog_text
from services.core.platform.settings import Settings
from services.core.platform.sms_settings import is_loopback
from services.devstack.watchdog.rules import BRIEFS, Line
from services.worker.sms_providers.router import SmsSender

_TIMEOUT_S: Final = 10.0
_TLS_PORT: Final = 465
_SUCCESS: Final = range(200, 300)

Way = Callable[[Line], Awaitable[None]]


class NotSentError(Exception):
    """A way failed; the message names it and says why, without numbers or addresses."""


def ways_of(settings: Settings, sender: SmsSender, now: datetime) -> dict[str, Way]:
    """Return the configured ways by name; empty: nobody is told."""
    ways: dict[str, Way] = {}
    if settings.watchdog_mails:
        ways["mail"] = lambda line: asyncio.to_thread(_mail, settings, line, now)
    if settings.watchdog_webhook_url:
        ways["webhook"] = lambda line: _post(settings, line, now)
    if settings.watchdog_numbers:
        ways["sms"] = lambda line: _text(settings, sender, line)
    return ways


def _mail(settings: Settings, line: Line, now: datetime) -> None:
    message = EmailMessage()
    message["Subject"] = f"SmartWatch {settings.public_host}: {BRIEFS[line.trouble]}"
    message["From"] = settings.watchdog_mail_from
    message["To"] = ", ".join(settings.watchdog_mails)
    message["Date"] = now
    message["Message-ID"] = f"<{new_ref(26)}@{settings.watchdog_mail_from.rpartition('@')[2]}>"
    message.set_content(f"{settings.public_host}: {line.text}\n\ndocs/runbook.md says what to do.\n")
    context = ssl.create_default_context()
    host, port = settings.watchdog_smtp_host, settings.watchdog_smtp_port
    try:
        if port == _TLS_PORT:
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT_S, context=context)
        else:
            server = smtplib.SMTP(host, port, timeout=_TIMEOUT_S)
        with server:
            if port != _TLS_PORT and not is_loopback(host):
                server.starttls(context=context)
            if settings.watchdog_smtp_user:
                server.login(settings.watchdog_smtp_user, settings.watchdog_smtp_password.get_secret_value())
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        # The type alone: a server's answer quotes addresses.
        text = f"mail: {type(error).__name__}"
        raise NotSentError(text) from error


async def _post(settings: Settings, line: Line, now: datetime) -> None:
    kind = "all_well" if line.trouble is None else line.trouble.value
    body = json.dumps({"host": settings.public_host, "kind": kind, "text": line.text}).encode()
    secret = settings.watchdog_webhook_secret.get_secret_value()
    signed = signed_headers(secret, body, int(now.timestamp())) if secret else {}
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False, follow_redirects=False) as client:
            headers = {"Content-Type": "application/json", **signed}
            answer = await client.post(settings.watchdog_webhook_url, content=body, headers=headers)
    except httpx.HTTPError as error:
        text = f"webhook: {type(error).__name__}"
        raise NotSentError(text) from error
    if answer.status_code not in _SUCCESS:
        text = f"webhook: answered {answer.status_code}"
        raise NotSentError(text)


async def _text(settings: Settings, sender: SmsSender, line: Line) -> None:
    brief = BRIEFS[line.trouble]
    whole = watchdog_text(settings.watchdog_sms_locale, f"{settings.public_host}: {line.text}")
    # A template's parameter is short, and holds no host.
    content = SmsText(whole.kind, {"what": brief}, whole.locale, whole.text)
    failed = []
    for number in settings.watchdog_numbers:
        attempts = await sender.send(number, content, new_ref(26), urgency=Urgency.SOS)
        if not any(attempt.failure is None for attempt in attempts):
            failed.append(
                ", ".join(f"{attempt.provider} {attempt.failure}: {attempt.reason}" for attempt in attempts)
                or "no route"
            )
    if failed:
        text = f"sms: {'; '.join(failed)}"
        raise NotSentError(text)
