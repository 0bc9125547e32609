"""Fixes and reports that share one array. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from services.device_sim.watch.records import Outgoing
from services.protocol import limits
from services.protocol.topics import UplinkKind

_IN_ARRAYS: Final = frozenset({UplinkKind.LOCATION.value, UplinkKind.USAGE.value})
_BRACKETS_BYTES: Final = 2


def goes_together(kind: str) -> bool:
    """Return whether several messages of this kind may share one array."""
    return kind in _IN_ARRAYS


def first_pack(records: Sequence[Outgoing], room_bytes: int) -> list[Outgoing]:
    """Return the first messages that fit one payload: at most 50 and `room_bytes`, at least one whatever its size."""
    pack: list[Outgoing] = []
    used_bytes = _BRACKETS_BYTES
    for record in records[: limits.ARRAY_MAX_ITEMS]:
        used_bytes += len(record.payload) + 1
        if pack and used_bytes > room_bytes:
            break
        pack.append(record)
    return pack


def payload_of(pack: Sequence[Outgoing]) -> bytes:
    """Return one message as it is, several as an array."""
    if len(pack) == 1:
        return pack[0].payload
    return b"[" + b",".join(record.payload for record in pack) + b"]"
