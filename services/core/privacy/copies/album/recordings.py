"""Recordings of a copy: their file names, and which of them the page itself contains. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from services.core.privacy.copies.album.page import data_address

# Phones open a page from a list of files often without the files beside it, so the page contains its recordings. A
# cheap phone still opens a page of 32 MB: 24 MB of recordings in base64, about two hours of speech.
PAGE_MAX_BYTES: Final = 24 * 1024 * 1024


def sound_name(at: datetime, timezone: ZoneInfo, used_names: AbstractSet[str]) -> str:
    """Return the name of a recording in the archive: its local date and time, and a number where that is taken."""
    stem = f"audio/{at.astimezone(timezone):%Y-%m-%d_%H-%M-%S}"
    name, number = f"{stem}.m4a", 1
    while name in used_names:
        number += 1
        name = f"{stem}_{number}.m4a"
    return name


class PageSounds:
    """The newest recordings, as many as the page may contain; added in order of time."""

    def __init__(self, most_bytes: int = PAGE_MAX_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: deque[tuple[str, bytes, date]] = deque()
        self._size_bytes = 0
        self._has_dropped = False

    def add(self, name: str, sound: bytes, day: date) -> None:
        """Add a recording; the oldest ones make room for it."""
        self._kept.append((name, sound, day))
        self._size_bytes += len(sound)
        while self._size_bytes > self._most_bytes and len(self._kept) > 1:
            _, dropped, _ = self._kept.popleft()
            self._size_bytes -= len(dropped)
            self._has_dropped = True

    def addresses(self) -> dict[str, str]:
        """Return the address of each recording that the page contains, by its name in the archive."""
        return {name: data_address(sound) for name, sound, _ in self._kept}

    @property
    def beside_before(self) -> date | None:
        """The day before which recordings are only beside the page; None: the page contains all."""
        return self._kept[0][2] if self._has_dropped else None
