"""Waits of the watch: the protocol's numbers by default, milliseconds in tests."""

from __future__ import annotations

import random
from dataclasses import dataclass

from services.protocol import limits


@dataclass(frozen=True)
class Timings:
    """Every wait of the watch in seconds. Tests and the demo shorten them; the defaults are those of the field."""

    connect_timeout_s: float = 10.0
    puback_timeout_s: float = 10.0
    keepalive_s: int = 240
    hello_answer_s: float = limits.HELLO_ANSWER_TIMEOUT_S
    hello_repeats: int = limits.HELLO_REPEATS
    reconnect_first_s: float = limits.RECONNECT_FIRST_S
    reconnect_max_s: float = limits.RECONNECT_MAX_S
    refused_ask_status_s: float = limits.REFUSED_LOGIN_ASK_STATUS_S
    receipt_first_s: float = limits.RECEIPT_TIMEOUT_S
    receipt_max_s: float = limits.RECEIPT_REPEAT_MAX_S
    # The protocol gives no number for pairing; an answer takes as long as the one to hello.
    pairing_answer_s: float = limits.HELLO_ANSWER_TIMEOUT_S

    @classmethod
    def quick(cls) -> Timings:
        """Return waits for demos and tests on one machine: milliseconds."""
        return cls(
            hello_answer_s=2.0,
            reconnect_first_s=0.05,
            reconnect_max_s=0.5,
            refused_ask_status_s=0.2,
            receipt_first_s=0.5,
            receipt_max_s=4.0,
            pairing_answer_s=2.0,
        )


# Share of a wait that is random: watches that lost one broker together must not come back together.
_SPREAD = 0.5


def backoff_s(attempt: int, first_s: float, max_s: float, random_source: random.Random) -> float:
    """Return the wait before try `attempt` (0 is the first): doubling, with jitter, never above `max_s`.

    Never below the undisturbed doubling before the maximum is reached, so that "no receipt in 30 s" stays true; at the
    maximum the jitter goes downwards.
    """
    # 2**60 is beyond every maximum; larger exponents would overflow a float after days of trying.
    plain_s = first_s * 2.0 ** min(attempt, 60)
    if plain_s >= max_s:
        return random_source.uniform(max_s * (1 - _SPREAD / 2), max_s)
    return min(max_s, random_source.uniform(plain_s, plain_s * (1 + _SPREAD)))
