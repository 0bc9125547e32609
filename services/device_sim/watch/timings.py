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
    reconnect_first_s: float = limits.RECONNECT_FIRST_S
    reconnect_max_s: float = limits.RECONNECT_MAX_S
    refused_ask_status_s: float = limits.REFUSED_LOGIN_ASK_STATUS_S
    receipt_first_s: float = limits.RECEIPT_TIMEOUT_S
    receipt_max_s: float = limits.RECEIPT_REPEAT_MAX_S
    alert_answer_s: float = limits.ALERT_ANSWER_TIMEOUT_S
    # The protocol gives no number for pairing; an answer takes as long as the one to hello.
    pairing_answer_s: float = limits.HELLO_ANSWER_TIMEOUT_S
    # How often a paired watch that shows a code asks whether the code is still the same.
    code_check_s: float = 20.0
    # How often battery, wear and movement are brought up to the time.
    life_step_s: float = 1.0

    def hello_waits_s(self, random_source: random.Random) -> list[float]:
        """Return how long to wait for `down/time` after the first hello and after each repeat.

        The waits double before each repeat, with jitter, so that watches which return together spread; after the last
        repeat the watch waits once more as after the first hello, then reconnects.
        """
        scale = self.hello_answer_s / limits.HELLO_ANSWER_TIMEOUT_S
        jittered = [scale * wait_s * random_source.uniform(1, 1 + _HELLO_SPREAD) for wait_s in limits.HELLO_REPEAT_S]
        return [*jittered, self.hello_answer_s]

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
            code_check_s=1.0,
            life_step_s=0.1,
        )


_HELLO_SPREAD = 0.2
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
