"""Modem profiles: what a modem carries at a time, how fast, and how late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class Modem:
    """A modem. `traits` are what the watch states in hello; `drops_above_bytes` 0: it drops nothing."""

    about: str
    bytes_s: int
    latency_s: float
    traits: Mapping[str, Any]
    drops_above_bytes: int = 0


MODEMS: Final[Mapping[str, Modem]] = {
    "2g": Modem(
        "GPRS at a busy hour: 4 kB/s, 0.6 s, two chunks of 1 kB at a time", 4_000, 0.6,
        {"chunk_bytes": 1024, "max_payload_bytes": 1360, "fetch_window": 2},
    ),
    "2g-text": Modem(
        "a 2G modem whose commands carry text only: chunks are base64, one at a time", 3_000, 0.8,
        {"chunk_bytes": 768, "max_payload_bytes": 1024, "fetch_window": 1, "binary": False},
    ),
    "2g-1500": Modem(
        "a 2G modem that acknowledges and drops payloads beyond 1,500 bytes", 4_000, 0.6,
        {"chunk_bytes": 1024, "max_payload_bytes": 1500, "fetch_window": 2}, drops_above_bytes=1500,
    ),
    "cat-1": Modem(
        "LTE Cat-1 with weak signal: 120 kB/s, 0.08 s, four chunks of 8 kB at a time", 120_000, 0.08,
        {"chunk_bytes": 8192, "max_payload_bytes": 16_384, "fetch_window": 4},
    ),
}  # fmt: skip
