"""The messages that a relay of the baselines has received, as its writers of rows are given them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Clip:
    """A recording: the id of its file, its name on the wire, its size and digest."""

    id: uuid.UUID
    ref: str
    size_bytes: int
    sha256: str


class Rows(Protocol):
    """Writes rows; each method returns after its commit. ``keeps_chunks``: chunks are written as they arrive."""

    keeps_chunks: bool

    async def chunks(self, chunks: list[tuple[str, str, int, bytes]]) -> None:
        """Write chunks: user, name of the recording, number and bytes."""

    async def reserve(self, user: str, clip: Clip) -> None:
        """Write what stands in the database before the file is written."""

    async def voice(self, user: str, clip: Clip) -> None:
        """Write a recording of a watch, whose file is there."""

    async def alert(self, user: str, ref: str) -> None:
        """Write an SOS."""

    async def hellos(self, hellos: list[tuple[str, str]]) -> None:
        """Write hellos: user and nonce of the connection."""

    async def voice_down(self, user: str, clip: Clip) -> None:
        """Write a recording for a watch, whose file is there."""

    async def fetched(self, user: str, ref: str, first: int) -> None:
        """Note how far a watch has fetched a recording."""

    async def delivered(self, user: str, ref: str) -> None:
        """Note that a watch has a recording."""
