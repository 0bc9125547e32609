"""Aliyun SMS: approved templates by `SendSms`, signed with ACS3-HMAC-SHA256.

Sources: help.aliyun.com, "SendSms" (version 2017-05-25; no idempotence, so a repeat may be sent twice), "V3 request
structure and signature", "API error codes" (101346); the parameters go into the query, as Aliyun's own SDK sends them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Final
from urllib.parse import quote, urlsplit

from services.core.platform.clock import Clock
from services.core.platform.outbox.sms import SmsText
from services.worker.sms_providers.client import ProviderClient, judge_answer
from services.worker.sms_providers.interface import BalanceUnknownError, Failure, SmsNotTakenError
from services.worker.sms_providers.templates import SmsTemplates

_ALGORITHM: Final = "ACS3-HMAC-SHA256"
_NUMBER_CODES: Final = frozenset({
    "isv.MOBILE_NUMBER_ILLEGAL", "isv.PHONE_NUMBER_ILLEGAL", "isv.BLACK_KEY_CONTROL_LIMIT",
    "isv.DOMESTIC_NUMBER_NOT_SUPPORTED",
})  # fmt: skip
_BUSY_CODES: Final = frozenset({
    "isv.BUSINESS_LIMIT_CONTROL", "isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL", "ServiceUnavailable",
})  # fmt: skip
_UNSURE_CODES: Final = frozenset({"isp.SYSTEM_ERROR", "isp.GATEWAY_ERROR", "isp.UNKNOWN", "InternalError"})
_BALANCE_CODES: Final = frozenset({"isv.AMOUNT_NOT_ENOUGH", "isv.OUT_OF_SERVICE", "isv.BILLING_DEDUCTION_ERROR"})


@dataclass(frozen=True)
class AliyunAccount:
    """Key and sender at Aliyun."""

    access_key_id: str
    access_key_secret: str = field(repr=False)
    sign_name: str = ""


class AliyunSms:
    """Sends approved templates; numbers outside China are sent as country code and number without a plus."""

    name: ClassVar[str] = "aliyun"
    country: str | None = "CN"

    def __init__(
        self, client: ProviderClient, url: str, account: AliyunAccount, templates: SmsTemplates, clock: Clock
    ) -> None:
        self._client = client
        self._url = url
        self._account = account
        self._templates = templates
        self._clock = clock

    async def send(self, phone: str, content: SmsText, message_id: str) -> None:
        """Send the template of this kind and locale; ``message_id`` comes back in the delivery report (OutId)."""
        template = self._templates.find(content.kind, content.locale)
        if template is None:
            raise SmsNotTakenError(Failure.REFUSED, "no_template")
        query = canonical_query({
            "PhoneNumbers": phone.removeprefix("+86") if phone.startswith("+86") else phone.removeprefix("+"),
            "SignName": self._account.sign_name,
            "TemplateCode": template.template_id,
            "TemplateParam": json.dumps(template.fill(content.params), ensure_ascii=False),
            "OutId": message_id,
        })  # fmt: skip
        headers = signed_headers(
            self._account, urlsplit(self._url).netloc, query, action="SendSms", version="2017-05-25",
            now=self._clock(), nonce=secrets.token_hex(16),
        )  # fmt: skip
        answer = await self._client.ask("POST", f"{self._url}/?{query}", headers=headers)
        code = answer.text("Code")
        if code == "OK":
            return
        if code in _NUMBER_CODES:
            raise SmsNotTakenError(Failure.NUMBER_REFUSED, code)
        if code in _BUSY_CODES or code.startswith("Throttling"):
            raise SmsNotTakenError(Failure.BUSY, code)
        if code in _UNSURE_CODES:
            raise SmsNotTakenError(Failure.UNSURE, code)
        if not code:
            raise judge_answer(answer)
        raise SmsNotTakenError(Failure.REFUSED, code, no_balance=code in _BALANCE_CODES)

    async def balance(self) -> float:
        """Another API of Aliyun tells the balance; an empty one shows as a refusal of the next message."""
        raise BalanceUnknownError


def canonical_query(parameters: Mapping[str, str]) -> str:
    """Return the query in the order and encoding (RFC 3986) that the signature is made over."""
    return "&".join(f"{quote(name, safe='-_.~')}={quote(parameters[name], safe='-_.~')}" for name in sorted(parameters))


def signed_headers(
    account: AliyunAccount, host: str, query: str, *, action: str, version: str, now: datetime, nonce: str
) -> dict[str, str]:
    """Return the headers of a POST without a body, signed; ``nonce`` must differ in each request."""
    body_hash = hashlib.sha256(b"").hexdigest()
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": body_hash,
        "x-acs-date": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    signed = ";".join(sorted(headers))
    canonical_headers = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = f"POST\n/\n{query}\n{canonical_headers}\n{signed}\n{body_hash}"
    to_sign = f"{_ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(account.access_key_secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    credential = f"Credential={account.access_key_id},SignedHeaders={signed},Signature={signature}"
    return {**headers, "Authorization": f"{_ALGORITHM} {credential}"}
