"""Notify the readers of a voice message when its audio changes."""

from __future__ import annotations

import uuid
from typing import Final

from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event_for_each
from services.core.platform.outbox.actions import notify_watch

# The message of an asset, the guardians who read it, and the watch that plays it.
_READERS: Final = """
SELECT message.message_id, message.child_id, child.family_id, clip.state, identity.username,
 CASE message.direction WHEN 'to_child' THEN ARRAY[message.guardian_id]
  ELSE ARRAY(SELECT guardian_id FROM message_recipient AS recipient WHERE recipient.message_id = message.message_id)
 END
FROM message JOIN clip USING (clip_id) JOIN child ON child.child_id = message.child_id
LEFT JOIN watch_identity AS identity
 ON message.direction = 'to_child' AND identity.child_id = message.child_id AND identity.ended_at IS NULL
WHERE message.clip_id = $1
"""


async def notify_audio_changed(work: UnitOfWork, clip_id: uuid.UUID) -> None:
    """Notify the readers of a voice message that its audio became playable, became unplayable, or was deleted."""
    rows = await work.read(_READERS, clip_id)
    if not rows:
        return
    message_id, child_id, family_id, state, username, reader_ids = rows[0]
    if username is not None:
        await notify_watch(work, username)
    readers = [reader for reader in reader_ids if reader is not None]
    if readers:
        await record_event_for_each(
            work, family_id, "message.audio", readers, child_id=child_id, ref_id=message_id, needs_right="message",
            detail={"state": state},
        )  # fmt: skip
