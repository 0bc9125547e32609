"""Which facts concern the watch and the programme's work, and which measure a family. Pure."""

from __future__ import annotations

from typing import Final

# Without consent to measurement a watch's health and whereabouts in the programme are all that is kept.
# That a watch reported is a sign of life; what it reported of the family is dropped before it is stored.
OF_THE_WATCH: Final = frozenset({"hello", "usage_reported", "paired", "unpaired", "family_enrolled"})
WATCH_STEM: Final = "watch_"
# Whether a message to the child followed a reminder within a day; written by one room, counted by another.
STARTER_FOLLOWED: Final = "starter_followed"
STARTER_NOT_FOLLOWED: Final = "starter_not_followed"


def measures_a_family(kind: str) -> bool:
    """Return whether a fact needs consent to measurement; an unknown kind does."""
    return kind not in OF_THE_WATCH and not kind.startswith(WATCH_STEM)
