"""Decisions about erasures. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from services.core.privacy.errors import ConfirmationMissingError

# A person types this word and the app translates it; it is never part of a logged address.
CONFIRMATION: Final = "erase"


class WatchCopy(StrEnum):
    """State of the copy on the watches: no watch was ever paired, or whether every watch has confirmed its wipe."""

    NONE = "none"
    NOT_CONFIRMED = "not_confirmed"
    CONFIRMED = "confirmed"


@dataclass(frozen=True)
class Wipe:
    """One watch that was told to wipe itself."""

    confirmed_at: datetime | None


def check_confirmation(word: str) -> None:
    """Raise ConfirmationMissingError unless ``word`` confirms an erasure."""
    if word.strip().lower() != CONFIRMATION:
        raise ConfirmationMissingError(CONFIRMATION)


def watch_copy(wipes: Iterable[Wipe]) -> WatchCopy:
    """Return the state of the copies on watches."""
    confirmed = [wipe.confirmed_at is not None for wipe in wipes]
    if not confirmed:
        return WatchCopy.NONE
    return WatchCopy.CONFIRMED if all(confirmed) else WatchCopy.NOT_CONFIRMED
