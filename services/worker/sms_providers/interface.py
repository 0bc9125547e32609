"""Interface of a provider of text messages, and its errors for a message it did not accept."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import ClassVar, Final, Protocol

from services.core.platform.outbox.sms import SmsText

# A provider's own code: letters or a few digits, so that neither a phone number nor a text passes for one.
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z._]{0,59}|[0-9]{1,5}")


class Failure(StrEnum):
    """Why a provider did not take a message."""

    # The number cannot get texts from this provider: a repeat is useless.
    NUMBER_REFUSED = "number_refused"
    # Key, template, sender or balance: nothing is sent until an operator acts.
    REFUSED = "refused"
    # Too many requests, or maintenance: not sent, and a later attempt may succeed.
    BUSY = "busy"
    # No answer, or one that does not tell: it may have been sent.
    UNSURE = "unsure"


class SmsNotTakenError(Exception):
    """A provider did not take a message: why, and the provider's own code. Holds neither number nor text."""

    def __init__(
        self, failure: Failure, reason: str, *, no_balance: bool = False, is_silent: bool | None = None
    ) -> None:  # fmt: skip
        self.reason = reason if _CODE.fullmatch(reason) else "unknown"
        super().__init__(f"{failure.value}: {self.reason}")
        self.failure = failure
        self.no_balance = no_balance
        # Whether it held the sender for a time-out, or nobody knows what became of the message.
        self.is_silent = failure is Failure.UNSURE if is_silent is None else is_silent


class BalanceUnknownError(Exception):
    """The provider does not tell its balance, or could not be asked."""


class SmsProvider(Protocol):
    """Sends text messages through one company."""

    # The name in routes and records; never renamed.
    name: ClassVar[str]

    @property
    def country(self) -> str | None:
        """The country (ISO 3166-1) in which numbers and texts are processed; None: this machine."""

    async def send(self, phone: str, content: SmsText, message_id: str) -> None:
        """Return when the provider has taken the message: E.164 number, content, an id equal at each attempt.

        Raises SmsNotTakenError; any other exception counts as unsure. A repeat with the same id is sent once where the
        provider recognises ids. Must log nothing.
        """

    async def balance(self) -> float:
        """Return the balance in the provider's currency; raises BalanceUnknownError where it does not tell."""
