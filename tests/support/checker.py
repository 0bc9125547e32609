"""The one checker of every fault test: confirmed is a subset of delivered, one row an id, order kept, bytes equal.

A conversation records what each side was told is stored: by a 201 to the phone, by a receipt to the watch. After the
fault it compares that with what the other side has, in both directions.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from sqlmodel import col, select

from services.core.conversation.messages.tables import Message
from services.device_sim.parent.parent import SimParent
from services.device_sim.sound import Clip
from services.device_sim.watch.watch import SimWatch
from tests.e2e.conftest import Play
from tests.support.sounds import duration_ms
from tests.support.world import Home

# The product promises a minute; a busy machine of two cores gets more.
DEADLINE_S = 90.0


@dataclass(frozen=True)
class Confirmed:
    """One message that its sender was told is stored: its words or its sound."""

    wire_id: str
    content: str | bytes


@dataclass
class Conversation:
    """One family's messages, and what was confirmed of them in the order of sending."""

    play: Play
    home: Home
    parent: SimParent
    watch: SimWatch
    down: list[Confirmed] = field(default_factory=list)
    up: list[Confirmed] = field(default_factory=list)
    # Of each wait; a hundred conversations on one machine need more.
    deadline_s: float = DEADLINE_S
    # Whether the check fetches each voice message as a phone plays it, which is made from the stored bytes each time.
    hears_all: bool = True

    @property
    def child_id(self) -> str:
        """The child's id as the API writes it."""
        return str(self.home.child_id)

    async def parent_writes(self, words: Sequence[str]) -> None:
        """Send texts to the child, each once the one before is confirmed."""
        for word in words:
            sent = await self.parent.write(self.child_id, word, timeout_s=self.deadline_s)
            self.down.append(Confirmed(str(sent.message_id), word))

    async def child_writes(self, words: Sequence[str]) -> None:
        """Send texts to the family, each once the one before is confirmed."""
        for word in words:
            kept = await self.watch.wait_stored(self.watch.write("family", word), timeout_s=self.deadline_s)
            self.up.append(Confirmed(kept.wire_id, word))

    async def parent_speaks(self, clips: Sequence[Clip]) -> None:
        """Send recordings to the child; AMR-NB is given to the watch as it is, so that bytes can be compared."""
        for clip in clips:
            sent = await self.parent.voice.speak_in_parts(
                self.child_id, clip.sound, "audio/amr", timeout_s=self.deadline_s
            )
            self.down.append(Confirmed(str(sent.message_id), clip.sound))

    async def child_speaks(self, clips: Sequence[Clip]) -> None:
        """Send recordings to the family."""
        for clip in clips:
            kept = await self.watch.wait_stored(self.watch.voice.record("family", clip), timeout_s=self.deadline_s)
            self.up.append(Confirmed(kept.wire_id, clip.sound))

    async def check(self) -> None:
        """Wait until everything confirmed is delivered, then compare; raises AssertionError."""
        await self.watch.wait_until(lambda: len(self._on_watch()) >= len(self.down), timeout_s=self.deadline_s)
        assert self._on_watch() == [item.content for item in self.down], "the watch: confirmed, once, in order"
        # Where everything was confirmed before a process was killed, nothing above had to wait until it is back.
        await asyncio.to_thread(self.play.installation.wait_ready, self.deadline_s)
        rows = await self._rows()
        down = [row for row in rows if row.direction == "to_child"]
        up = [row for row in rows if row.direction == "to_family"]
        assert [str(row.message_id) for row in down] == [item.wire_id for item in self.down], "one row an id, in order"
        assert [row.ref for row in up] == [item.wire_id for item in self.up], "one row an id, in order"
        assert max(Counter(row.ref for row in rows).values(), default=1) == 1
        await self._check_phone(up)

    def _on_watch(self) -> list[str | bytes | None]:
        """Return the content of what the watch has, in its order; None while a recording is being fetched."""
        items = [self.watch.voice.clip(item.ref) if item.kind == "voice" else item.text for item in self.watch.inbox()]
        return [content for content in items if content is not None]

    async def _rows(self) -> list[Message]:
        async with self.play.database.begin() as work:
            messages = await work.session.exec(
                select(Message).where(col(Message.child_id) == self.home.child_id).order_by(col(Message.seq))
            )
            return list(messages)

    async def _check_phone(self, rows: Sequence[Message]) -> None:
        history = [message for message in await self.parent.history(self.child_id) if message.direction == "to_family"]
        assert [message.message_id for message in history] == [str(row.message_id) for row in rows], (
            "the phone: once, in order"
        )
        by_ref = await self.play.said_by_child(self.home)
        for shown, confirmed in zip(history, self.up, strict=True):
            if isinstance(confirmed.content, str):
                assert shown.text == confirmed.content
                continue
            assert by_ref[confirmed.wire_id][2] == confirmed.content, "the bytes that are kept are those that were sent"
            assert shown.voice is not None
            assert shown.voice.duration_ms is not None
            if not self.hears_all:
                continue
            heard = await self.parent.voice.hear(self.child_id, shown.message_id, timeout_s=self.deadline_s)
            assert abs(duration_ms(heard) - shown.voice.duration_ms) < 150


async def recovery_s(play: Play, name: str) -> float:
    """Kill -9 one part and return the seconds until everything is ready again."""
    await asyncio.to_thread(play.installation.kill, name)
    return await asyncio.to_thread(play.installation.wait_ready, DEADLINE_S)


def record_figures(capsys: pytest.CaptureFixture[str], what: str, seconds: Sequence[float]) -> None:
    """Print median and maximum of a run, past pytest's capture, for docs/reliability.md."""
    figures = f"{what}: median {statistics.median(seconds):.1f} s, at most {max(seconds):.1f} s ({len(seconds)})"
    with capsys.disabled():
        sys.stdout.write(f"\n{figures}\n")


__all__ = ["DEADLINE_S", "Confirmed", "Conversation", "record_figures", "recovery_s"]
