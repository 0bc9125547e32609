"""Netgsm: codes by the OTP service, other texts by the standard service of REST v2.

Sources: Netgsm's API document and its own client libraries (netgsm-sms-js, netgsm-sms-python): `/sms/rest/v2/send` with
``messages``, ``encoding`` and ``iysfilter`` ("0": information, not advertising), `/sms/rest/v2/otp` with ``msg`` and
``no`` (ASCII only, delivered within 3 minutes), HTTP Basic, numbers as 5XXXXXXXXX, code "00" with 200 and the error
codes with 406, `/balance` with ``stip`` 2. No id by which a repeat is recognised is documented; the standard service
drops an equal text to the same number within an hour.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from services.core.platform.outbox.sms import SmsText
from services.worker.sms_providers.client import ProviderClient, judge_answer, judge_status
from services.worker.sms_providers.interface import BalanceUnknownError, Failure, SmsNotTakenError

_TAKEN: Final = frozenset({"00", "01", "02"})
_BUSY_CODES: Final = frozenset({"80", "85"})
_SYSTEM_CODES: Final = frozenset({"100", "101", "5000"})
# Of the OTP service alone: numbers that it does not serve, and no credit for codes. Elsewhere 50 and 51 are about IYS.
_OTP_NUMBER_CODES: Final = frozenset({"50", "51", "52"})
_OTP_NO_CREDIT: Final = "60"
_TURKEY: Final = "+90"
# The one Turkish letter that has no decomposition.
_DOTLESS_I: Final = "\N{LATIN SMALL LETTER DOTLESS I}"


@dataclass(frozen=True)
class NetgsmAccount:
    """API user and registered sender name at Netgsm."""

    usercode: str
    password: str = field(repr=False)
    header: str = ""


class NetgsmSms:
    """Sends texts in Turkey. A text with a parameter ``code`` goes by the OTP service."""

    name: ClassVar[str] = "netgsm"
    country: str | None = "TR"

    def __init__(self, client: ProviderClient, url: str, account: NetgsmAccount) -> None:
        self._client = client
        self._url = url
        self._account = account

    async def send(self, phone: str, content: SmsText, message_id: str) -> None:  # noqa: ARG002 - it knows no ids
        """Send the text; numbers outside Turkey are refused."""
        if not phone.startswith(_TURKEY):
            raise SmsNotTakenError(Failure.REFUSED, "not_turkey")
        number = phone.removeprefix(_TURKEY)
        is_code = "code" in content.params
        body: dict[str, Any] = {"msgheader": self._account.header}
        if is_code:
            body |= {"msg": ascii_of(content.text), "no": number}
        else:
            body |= {"messages": [{"msg": content.text, "no": number}], "encoding": "TR", "iysfilter": "0"}
        answer = await self._client.ask(
            "POST", f"{self._url}/sms/rest/v2/{'otp' if is_code else 'send'}", json=body,
            auth=(self._account.usercode, self._account.password),
        )  # fmt: skip
        judge_status(answer.status)
        code = answer.text("code")
        if code in _TAKEN:
            return
        if code in _BUSY_CODES:
            raise SmsNotTakenError(Failure.BUSY, code)
        if is_code and code in _OTP_NUMBER_CODES:
            raise SmsNotTakenError(Failure.NUMBER_REFUSED, code)
        if not code:
            raise judge_answer(answer)
        if code in _SYSTEM_CODES:
            raise SmsNotTakenError(Failure.UNSURE, code)
        no_balance = is_code and code == _OTP_NO_CREDIT
        raise SmsNotTakenError(Failure.REFUSED, code, no_balance=no_balance)

    async def balance(self) -> float:
        """Return the credit in lira."""
        answer = await self._client.ask(
            "POST",
            f"{self._url}/balance",
            json={"usercode": self._account.usercode, "password": self._account.password, "stip": 2},
        )
        try:
            # The decimal sign is a comma: 34,020.
            return float(answer.text("balance").replace(",", "."))
        except ValueError as error:
            raise BalanceUnknownError from error


def ascii_of(text: str) -> str:
    """Return a Turkish text without the letters that the OTP service refuses: each becomes its plain letter."""
    plain = unicodedata.normalize("NFKD", text.replace(_DOTLESS_I, "i"))
    return plain.encode("ascii", "ignore").decode()
