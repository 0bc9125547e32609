"""Which facts need consent to measurement."""

from __future__ import annotations

import pytest

from services.core.platform.facts.rules import measures_a_family


@pytest.mark.parametrize(
    "kind", ["hello", "usage_reported", "paired", "unpaired", "family_enrolled", "watch_lost", "watch_handed_out"]
)
def test_what_is_known_of_the_watch_needs_none(kind: str) -> None:
    assert not measures_a_family(kind)


@pytest.mark.parametrize("kind", ["message_to_child_stored", "message_to_family_played", "call", "checkin", ""])
def test_everything_else_does_also_what_comes_later(kind: str) -> None:
    assert measures_a_family(kind)
