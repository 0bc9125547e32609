"""Arrays of what waits together: as many as fit, one at least."""

from __future__ import annotations

import json

from services.device_sim.watch.batching import first_pack, payload_of
from services.device_sim.watch.records import Outgoing, OutgoingState


def waiting(count: int, size_bytes: int = 10) -> list[Outgoing]:
    payload = json.dumps("x" * (size_bytes - 2)).encode()
    return [
        Outgoing(number, str(number), "location", payload, OutgoingState.QUEUED, None, None) for number in range(count)
    ]


def test_one_alone_is_no_array_and_several_are() -> None:
    first, *_ = records = waiting(3)
    assert payload_of([first]) == first.payload
    assert json.loads(payload_of(records)) == ["x" * 8] * 3


def test_a_pack_has_at_most_fifty_and_fits_the_room() -> None:
    assert len(first_pack(waiting(80), 4096)) == 50
    for room_bytes in (1, 12, 13, 40, 1024):
        pack = first_pack(waiting(80, 100), room_bytes)
        assert len(pack) == 1 or len(payload_of(pack)) <= room_bytes
    # A byte more is one more: the room is used.
    exactly = len(payload_of(waiting(5, 100)))
    assert len(first_pack(waiting(80, 100), exactly + 1)) == 5
