"""Chooses the provider of each number, and the next one where the first does not take the message."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from services.core.platform.outbox.rules import Urgency
from services.core.platform.outbox.sms import SmsText
from services.core.platform.sms_settings import SmsRoutes
from services.worker.sms_providers.interface import Failure, SmsNotTakenError, SmsProvider

# A provider that left so many messages in a row without an answer is not asked for a while: each question would hold a
# sender for the whole time-out.
SILENCES_MAX: Final = 3
PAUSE_S: Final = 30.0
# A message that may have been sent is repeated by the same provider first, which may recognise it; later by all.
_UNSURE_ATTEMPTS_MAX: Final = 3

log = structlog.get_logger()


@dataclass(frozen=True)
class Attempt:
    """Attempt at one provider; ``failure`` None: it accepted the message."""

    provider: str
    failure: Failure | None = None
    reason: str = ""
    no_balance: bool = False


class SmsSender(Protocol):
    """The worker's way to send text messages."""

    async def send(
        self, phone: str, content: SmsText, message_id: str, *, urgency: Urgency = Urgency.NORMAL, attempt: int = 1
    ) -> list[Attempt]:
        """Offer a message to its providers in turn; return what each of them did, the last one first to have taken it.

        ``attempt`` counts from 1. Raises nothing that a provider caused.
        """


class SmsRouter:
    """Offers a message to the providers of its number, one after the other."""

    def __init__(
        self, routes: SmsRoutes, providers: Mapping[str, SmsProvider], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._routes = routes
        self._providers = dict(providers)
        self._clock = clock
        self._silences: dict[str, int] = {}
        self._paused_until: dict[str, float] = {}

    @property
    def providers(self) -> Mapping[str, SmsProvider]:
        """The providers by name."""
        return self._providers

    async def send(
        self, phone: str, content: SmsText, message_id: str, *, urgency: Urgency = Urgency.NORMAL, attempt: int = 1
    ) -> list[Attempt]:
        """Offer a message to its providers in turn, until one takes it.

        A provider that may have sent the message ends the round, so that no second one sends it again; an SOS goes on,
        since two texts are better than none, and so does the third attempt.
        """
        attempts: list[Attempt] = []
        names = self._routes.providers_of(phone)
        for name in names:
            if self._is_paused(name) and not (urgency is Urgency.SOS and name == names[-1]):
                attempts.append(Attempt(name, Failure.BUSY, "paused"))
                continue
            done = await self._offer(self._providers[name], phone, content, message_id)
            attempts.append(done)
            if done.failure is None:
                break
            if done.failure is Failure.UNSURE and urgency is not Urgency.SOS and attempt < _UNSURE_ATTEMPTS_MAX:
                break
        return attempts

    async def _offer(self, provider: SmsProvider, phone: str, content: SmsText, message_id: str) -> Attempt:
        try:
            await provider.send(phone, content, message_id)
        except SmsNotTakenError as error:
            self._count_silence(provider.name, is_silent=error.is_silent)
            return Attempt(provider.name, error.failure, error.reason, error.no_balance)
        except Exception as error:
            # The type alone: a message may quote the number.
            log.exception("sms_provider_failed", provider=provider.name, error=type(error).__qualname__)
            return Attempt(provider.name, Failure.UNSURE, "fault")
        self._count_silence(provider.name, is_silent=False)
        return Attempt(provider.name)

    def _count_silence(self, name: str, *, is_silent: bool) -> None:
        self._silences[name] = self._silences.get(name, 0) + 1 if is_silent else 0
        if self._silences[name] >= SILENCES_MAX:
            self._paused_until[name] = self._clock() + PAUSE_S
            # After the pause one more silence is enough for the next one.
            self._silences[name] = SILENCES_MAX - 1
            log.warning("sms_provider_paused", provider=name, pause_s=PAUSE_S)

    def _is_paused(self, name: str) -> bool:
        return self._clock() < self._paused_until.get(name, 0.0)
