"""Battery thresholds of the whole product, in percent, each with its reason. Pure."""

from __future__ import annotations

from typing import Final

# Meters of small batteries are wrong below this: a watch that falls silent here has run out of power.
EMPTY_PCT: Final = 3
# From here a watch lasts about two hours: one that is silent for longer has run out of power.
NEARLY_EMPTY_PCT: Final = 10
# From here a watch lasts for the next hours only: guardians are notified, and every count of low batteries uses it.
LOW_PCT: Final = 15
# A watch that is charged every night passes this level each morning. One that stays at or below it for days is not
# charged, or its battery is worn: staff ask the family. Above LOW_PCT, so that triage comes before the watch is off.
NOT_CHARGED_PCT: Final = 20
