"""What `doctor` asks each external broker: whether it lets the backend in, and asks who else may come and hear.

It is done with the MQTT library that others use, so that a broker is not judged by our own packets.
"""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode

from services.core.platform.settings import Settings
from services.devstack.findings import Finding

_ANSWER_TIMEOUT_S: Final = 5.0
# MQTT 5, 2.4: reason codes from here on are refusals.
_REFUSED: Final = 0x80
# What no client of ours may hear (services/broker/external/rules.py).
_EVERYTHING: Final = "#"


@dataclass(frozen=True)
class Answers:
    """What one broker answered; None where it gave no answer."""

    lets_backend_in: bool | None
    lets_stranger_in: bool | None
    lets_backend_hear_everything: bool | None


async def brokers(settings: Settings) -> list[Finding]:
    """Ask each external broker; an empty list where the broker is the one that `smartwatch broker` runs."""
    if settings.broker != "external":
        return []
    return [judge(address, await _ask(settings, address)) for address in settings.backend_addresses()]


def judge(address: tuple[str, int], answers: Answers) -> Finding:
    """Return what the answers of one broker mean, and the remedy."""
    name, place = "external broker", f"{address[0]}:{address[1]}"
    faults = list(_faults(answers))
    if not faults:
        return Finding(name, ok=True, what=f"{place} lets the backend in and keeps strangers out")
    return Finding(
        name, ok=False, what=f"{place} {', '.join(what for what, _ in faults)}",
        mend="; ".join(dict.fromkeys(mend for _, mend in faults)),
    )  # fmt: skip


def _faults(answers: Answers) -> Iterator[tuple[str, str]]:
    asks = "have it ask `smartwatch broker-auth` about every log-in and topic (docs/decisions/0074-external-broker.md)"
    if answers.lets_backend_in is None:
        yield (
            "does not answer over MQTT 5",
            "check the address, TLS, that it runs, and its memory and disk: in an alarm it lets nobody in",
        )
        return
    if not answers.lets_backend_in:
        yield (
            "refuses the backend's user",
            "check its way to `smartwatch broker-auth`, SMARTWATCH_MQTT_BACKEND_PASSWORD, SMARTWATCH_BROKER_INSIDE",
        )
    if answers.lets_stranger_in:
        yield "lets in whoever has a wrong password", asks
    if answers.lets_backend_hear_everything:
        yield "grants a subscription to everything", asks


async def _ask(settings: Settings, address: tuple[str, int]) -> Answers:
    password = settings.mqtt_backend_password.get_secret_value()
    lets_in, hears = await _log_in(settings, address, password)
    lets_stranger_in, _ = await _log_in(settings, address, secrets.token_urlsafe(24))
    return Answers(lets_in, lets_stranger_in, hears)


async def _log_in(settings: Settings, address: tuple[str, int], password: str) -> tuple[bool | None, bool | None]:
    """Return whether the broker lets the backend's user in, and whether it may hear everything."""
    is_in: bool | None = None
    client: aiomqtt.Client | None = None
    try:
        # Also raises where the file of the authority is missing.
        tls = ssl.create_default_context(cafile=settings.broker_ca_file) if settings.broker_ca_file else None
        client = aiomqtt.Client(
            *address, username=settings.mqtt_backend_username, password=password,
            identifier=f"sw-doctor-{secrets.token_hex(6)}", protocol=aiomqtt.ProtocolVersion.V5, clean_start=True,
            tls_context=tls, timeout=_ANSWER_TIMEOUT_S,
        )  # fmt: skip
        async with client:
            is_in = True
            granted = await client.subscribe(_EVERYTHING, qos=1)
            return True, not any(isinstance(code, ReasonCode) and code.value >= _REFUSED for code in granted)
    except (aiomqtt.MqttError, OSError) as error:
        if is_in:
            # Some brokers end the connection of whoever asks to hear too much.
            return True, False
        code = error.rc if isinstance(error, aiomqtt.MqttCodeError) else None
        return (False if isinstance(code, ReasonCode) and code.value >= _REFUSED else None), None
    finally:
        # The library keeps the end of the connection in a future; unread, asyncio would print it beside the findings.
        ended = None if client is None else client._disconnected  # noqa: SLF001
        if ended is not None and ended.done() and not ended.cancelled():
            ended.exception()
