"""Twilio: texts by the Messages resource.

Sources: twilio.com/docs, "Messages resource" (To, From or MessagingServiceSid, Body, StatusCallback), "Twilio API
responses", error dictionary, "Balance". Twilio documents no id by which a repeat is recognised.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final
from urllib.parse import quote

from services.core.platform.outbox.sms import SmsText
from services.worker.sms_providers.client import ProviderClient, judge_status
from services.worker.sms_providers.interface import BalanceUnknownError, Failure, SmsNotTakenError

# Invalid number; opted out; not a mobile number; unreachable combination; landline; short code.
_NUMBER_CODES: Final = frozenset({"21211", "21610", "21614", "21612", "21635", "21655"})
_TOO_MANY: Final = "20429"
_OK: Final = range(200, 300)


@dataclass(frozen=True)
class TwilioAccount:
    """Account and sender at Twilio, and the address that its delivery reports go to (empty: none)."""

    account_sid: str
    auth_token: str = field(repr=False)
    sender: str = ""
    report_url: str = field(default="", repr=False)


class TwilioSms:
    """Sends texts to every country that the account allows."""

    name: ClassVar[str] = "twilio"
    country: str | None = "US"

    def __init__(self, client: ProviderClient, url: str, account: TwilioAccount) -> None:
        self._client = client
        self._resource = f"{url}/2010-04-01/Accounts/{quote(account.account_sid, safe='')}"
        self._account = account

    async def send(self, phone: str, content: SmsText, message_id: str) -> None:
        """Send the text; ``message_id`` comes back in the query of the delivery report."""
        sender = "MessagingServiceSid" if self._account.sender.startswith("MG") else "From"
        form = {"To": phone, sender: self._account.sender, "Body": content.text}
        if self._account.report_url:
            form["StatusCallback"] = f"{self._account.report_url}?message_id={message_id}"
        answer = await self._client.ask("POST", f"{self._resource}/Messages.json", data=form, auth=self._auth)
        if answer.status in _OK:
            return
        code = answer.text("code")
        if code == _TOO_MANY:
            raise SmsNotTakenError(Failure.BUSY, code)
        judge_status(answer.status)
        raise SmsNotTakenError(
            Failure.NUMBER_REFUSED if code in _NUMBER_CODES else Failure.REFUSED, code or str(answer.status)
        )

    async def balance(self) -> float:
        """Return the balance in the account's currency."""
        answer = await self._client.ask("GET", f"{self._resource}/Balance.json", auth=self._auth)
        try:
            return float(answer.text("balance"))
        except ValueError as error:
            raise BalanceUnknownError from error

    @property
    def _auth(self) -> tuple[str, str]:
        return self._account.account_sid, self._account.auth_token
