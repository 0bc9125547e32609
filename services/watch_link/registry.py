"""Which identity may send which kind, and who handles it. A kind without a declaration fails a test."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from services.protocol.topics import Identity, Uplink, UplinkKind, User
from services.watch_link.replies import Reply


@dataclass(frozen=True)
class Frame:
    """One uplink as it came: topic and bytes. Identity comes from the topic, which the broker checked."""

    topic: Uplink
    payload: bytes
    database: Database
    settings: Settings
    blobs: BlobStore

    @property
    def user(self) -> User:
        """Who sent it."""
        return self.topic.user


Handle = Callable[[Frame], Awaitable[list[Reply]]]
# The answers to many frames, in their order; all of them are committed or none is.
HandleTogether = Callable[[Sequence[Frame]], Awaitable[list[list[Reply]]]]


@dataclass(frozen=True)
class Declaration:
    """Who may send a kind, and what is done with it."""

    who: Identity
    handle: Handle


DECLARATIONS: dict[UplinkKind, Declaration] = {}
# Kinds of which so many come that one commit each would be most of the work; see mqtt_bridge.together.
TOGETHER: dict[UplinkKind, HandleTogether] = {}


def handles(*kinds: UplinkKind, who: Identity) -> Callable[[Handle], Handle]:
    """Declare the decorated function as the one way in for these kinds, open to one sort of identity only."""

    def declare(handle: Handle) -> Handle:
        for kind in kinds:
            if kind in DECLARATIONS:
                message = f"{kind} is declared twice"
                raise ValueError(message)
            DECLARATIONS[kind] = Declaration(who, handle)
        return handle

    return declare


def handles_together(kind: UplinkKind, who: Identity) -> Callable[[HandleTogether], HandleTogether]:
    """Declare the decorated function for many frames of a kind at once, and for one where that fails."""

    def declare(handle: HandleTogether) -> HandleTogether:
        async def handle_one(frame: Frame) -> list[Reply]:
            return (await handle([frame]))[0]

        handles(kind, who=who)(handle_one)
        TOGETHER[kind] = handle
        return handle

    return declare
