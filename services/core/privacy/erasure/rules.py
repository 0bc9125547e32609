"""Decisions about erasing. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from services.core.privacy.errors import ConfirmationMissingError

# Typed by a person, translated by the app; never part of an address that is logged.
CONFIRMATION: Final = "erase"


class WatchCopy(StrEnum):
    """What is known of the copy on the watches: none was ever paired, or whether all have said that they wiped it."""

    NONE = "none"
    NOT_CONFIRMED = "not_confirmed"
    CONFIRMED = "confirmed"


@dataclass(frozen=True)
class Wipe:
    """One watch that was to wipe itself."""

    confirmed_at: datetime | None


def check_confirmation(word: str) -> None:
    """Raise ConfirmationMissingError unless the word is the one that confirms an erasure."""
    if word.strip().lower() != CONFIRMATION:
        raise ConfirmationMissingError(CONFIRMATION)


def watch_copy(wipes: Iterable[Wipe]) -> WatchCopy:
    """Return what is known of the copies on watches."""
    confirmed = [wipe.confirmed_at is not None for wipe in wipes]
    if not confirmed:
        return WatchCopy.NONE
    return WatchCopy.CONFIRMED if all(confirmed) else WatchCopy.NOT_CONFIRMED
