"""eSMS.vn: texts under a registered brand name, by `SendMultipleMessage_V4_post_json`.

Sources: developers.esms.vn, "Send OTP/Customer care message" (SmsType 2, IsUnicode, RequestId, CallbackUrl), "Table of
error codes", "Get balance"; a RequestId of at most 50 characters blocks a duplicate for 24 hours (code 124).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final

from services.core.platform.outbox.sms import SmsText
from services.worker.sms_providers.client import ProviderClient, judge_answer, judge_status
from services.worker.sms_providers.interface import BalanceUnknownError, Failure, SmsNotTakenError

_SERVICE: Final = "/MainService.svc/json"
_TAKEN: Final = "100"
# The first attempt was taken, although its answer was lost.
_DUPLICATE: Final = "124"
_NUMBER_CODES: Final = frozenset({"99", "108", "177"})
_NO_BALANCE: Final = "103"


@dataclass(frozen=True)
class EsmsAccount:
    """Keys and brand name at eSMS, and the address that its delivery reports go to (empty: none)."""

    api_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    brandname: str = ""
    report_url: str = field(default="", repr=False)


class EsmsSms:
    """Sends texts in Vietnam; the provider recognises a repeat by its RequestId."""

    name: ClassVar[str] = "esms"
    country: str | None = "VN"

    def __init__(self, client: ProviderClient, url: str, account: EsmsAccount) -> None:
        self._client = client
        self._url = url
        self._account = account

    async def send(self, phone: str, content: SmsText, message_id: str) -> None:
        """Send the text as a customer care message."""
        answer = await self._client.ask(
            "POST",
            f"{self._url}{_SERVICE}/SendMultipleMessage_V4_post_json/",
            json={
                "ApiKey": self._account.api_key,
                "SecretKey": self._account.secret_key,
                "Phone": f"0{phone.removeprefix('+84')}" if phone.startswith("+84") else phone.removeprefix("+"),
                "Content": content.text,
                "Brandname": self._account.brandname,
                "SmsType": "2",
                "IsUnicode": "0" if content.text.isascii() else "1",
                "RequestId": message_id,
                **({"CallbackUrl": self._account.report_url} if self._account.report_url else {}),
            },
        )
        judge_status(answer.status)
        code = answer.text("CodeResult")
        if code in {_TAKEN, _DUPLICATE}:
            return
        if code in _NUMBER_CODES:
            raise SmsNotTakenError(Failure.NUMBER_REFUSED, code)
        if not code:
            raise judge_answer(answer)
        raise SmsNotTakenError(Failure.REFUSED, code, no_balance=code == _NO_BALANCE)

    async def balance(self) -> float:
        """Return the balance in dong."""
        answer = await self._client.ask(
            "POST",
            f"{self._url}{_SERVICE}/GetBalance_json",
            json={"ApiKey": self._account.api_key, "SecretKey": self._account.secret_key},
        )
        if answer.text("CodeResponse") != _TAKEN:
            raise BalanceUnknownError
        try:
            return float(answer.text("Balance"))
        except ValueError as error:
            raise BalanceUnknownError from error
