"""A gateway of the operator's own: each text as a signed POST, described in docs/sms.md."""

from __future__ import annotations

import json
from typing import ClassVar, Final

from services.core.devices.push.webhook import signed_headers
from services.core.platform.clock import Clock
from services.core.platform.outbox.sms import SmsText
from services.worker.sms_providers.client import ProviderClient, judge_status
from services.worker.sms_providers.interface import BalanceUnknownError, Failure, SmsNotTakenError

# 409: the gateway has taken a message of this id before.
_TAKEN: Final = frozenset({200, 201, 202, 204, 409})
_NUMBER_REFUSED: Final = 422


class WebhookSms:
    """Posts {id, to, kind, params, locale, text}; the receiver recognises a repeat by ``id``."""

    name: ClassVar[str] = "webhook"

    def __init__(self, client: ProviderClient, url: str, secret: str, country: str, clock: Clock) -> None:
        self._client = client
        self._url = url
        self._secret = secret
        self._country = country
        self._clock = clock

    @property
    def country(self) -> str | None:
        """As the setting says."""
        return self._country or None

    async def send(self, phone: str, content: SmsText, message_id: str) -> None:
        """Post one message. 2xx and 409 count as taken, 422 as a number that gets no texts, other 4xx as refused."""
        body = json.dumps(
            {
                "id": message_id, "to": phone, "kind": content.kind, "params": dict(content.params),
                "locale": content.locale, "text": content.text,
            },
            ensure_ascii=False,
        ).encode()  # fmt: skip
        signed = signed_headers(self._secret, body, int(self._clock().timestamp()))
        headers = {"Content-Type": "application/json", "Idempotency-Key": message_id, **signed}
        answer = await self._client.ask("POST", self._url, content=body, headers=headers)
        if answer.status in _TAKEN:
            return
        judge_status(answer.status)
        raise SmsNotTakenError(
            Failure.NUMBER_REFUSED if answer.status == _NUMBER_REFUSED else Failure.REFUSED, str(answer.status)
        )

    async def balance(self) -> float:
        """A gateway of one's own is not asked."""
        raise BalanceUnknownError
