"""Which facts concern the watch and the programme, and which measure a family. Pure."""

from __future__ import annotations

from typing import Final

# Stored without consent to measurement: only the watch's health and its place in the programme.
# A usage report shows that the watch works; its content about the family is dropped before it is stored.
OF_THE_WATCH: Final = frozenset({"hello", "usage_reported", "paired", "unpaired", "family_enrolled"})
WATCH_STEM: Final = "watch_"
# Whether a message to the child followed a reminder within a day; recorded by prompts, counted by measurement.
STARTER_FOLLOWED: Final = "starter_followed"
STARTER_NOT_FOLLOWED: Final = "starter_not_followed"


def measures_a_family(kind: str) -> bool:
    """Return whether a fact needs consent to measurement; unknown kinds do."""
    return kind not in OF_THE_WATCH and not kind.startswith(WATCH_STEM)
