"""Uplinks of a paired watch without a transport: the preamble of ``watch_link.receiving`` around core's own actions."""

from __future__ import annotations

from collections.abc import Sequence

from services.core.conversation.audio_assets.chunks_from_watch import MissingChunks, ReceivedChunk, store_chunks
from services.core.conversation.messages.voice_from_watch import (
    VoiceUpload,
    WholeClip,
    assemble_voice,
    store_voice,
)
from services.core.conversation.messages.voice_from_watch import receive_voice as receive_stored_voice
from services.core.devices.presence.actions import HelloReport, record_seen
from services.core.devices.watches.queries import lock_standing_identities
from services.core.devices.watches.tables import WatchIdentity
from services.core.location.checkins.actions import ReceivedFix
from services.core.location.checkins.actions import receive_fixes as receive_fixes_of
from services.core.pairing.hellos import receive_hellos
from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.idempotency.actions import Answer


async def receive_fixes(work: UnitOfWork, fixes: Sequence[ReceivedFix]) -> list[Answer]:
    """Record fixes of the watches that they name."""
    identities = await lock_standing_identities(work, {fix.username for fix in fixes})
    for identity in identities.values():
        await record_seen(work, identity)
    return await receive_fixes_of(work, identities, fixes)


async def store_chunk(work: UnitOfWork, identity: WatchIdentity, ref: str, number: int, sound: bytes) -> None:
    """Store one chunk of a watch."""
    await store_chunks(work, {identity.username: identity}, [ReceivedChunk(identity.username, ref, number, sound)])


async def receive_hello(work: UnitOfWork, username: str, report: HelloReport) -> None:
    """Record a hello of this user; KeyError without a standing identity."""
    await receive_hellos(work, [((await lock_standing_identities(work, [username]))[username], report)])


async def receive_voice(
    database: Database, blobs: BlobStore, username: str, sent: VoiceUpload
) -> Answer | MissingChunks:
    """Record the end of a clip; KeyError without a standing identity."""
    async with database.begin() as work:
        identity = (await lock_standing_identities(work, [username]))[username]
        assembled = await assemble_voice(work, identity, sent)
    if not isinstance(assembled, WholeClip):
        return assembled
    stored = await store_voice(blobs, assembled, sent)
    async with database.begin() as work:
        identity = (await lock_standing_identities(work, [username]))[username]
        return await receive_stored_voice(work, identity, sent, stored)
