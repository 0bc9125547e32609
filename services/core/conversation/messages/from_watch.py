"""Receive messages from watches: all rows of a message with one statement, without objects."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.exc import NoResultFound

from services.core.conversation.audio_assets.storing import StoredAudio, raw_asset
from services.core.conversation.messages.actions import events_of_new, voice_ms
from services.core.conversation.messages.content import content_mark, seal_body
from services.core.conversation.messages.rules import Body, RecipientState
from services.core.devices.contacts.queries import Recipient, recipients_of
from services.core.devices.presence.journeys import record_arrival
from services.core.devices.presence.rules import ArrivedBy
from services.core.devices.watches.tables import WatchIdentity
from services.core.people.households.child_key import unwrapped_key
from services.core.platform.audio.rules import Form
from services.core.platform.blobs.errors import BlobGoneError
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.together import Write, write_together
from services.core.platform.events.actions import check_recorded
from services.core.platform.facts.actions import PastFact
from services.core.platform.idempotency.actions import STORED, Answer, known_answer, rejected, remembered
from services.core.platform.outbox.actions import rendition_request

_DIRECTION: Final = "to_family"
# The lock of content.lock_child.
_LOCK_CHILD: Final = "SELECT family_id, wrapped_key FROM child WHERE child_id = $1 FOR NO KEY UPDATE"
_NUMBERED: Final = (
    "numbered",
    "UPDATE child SET message_seq = message_seq + 1 WHERE child_id = $2 RETURNING message_seq",
)
_STORED: Final = """
INSERT INTO message (message_id, child_id, seq, direction, kind, username, ref, fingerprint, sealed_body, clip_id,
 sent_at, received_at, expires_at)
SELECT $1, $2, message_seq, $3, $4, $5, $6, $7, $8, $9, $10, $11::timestamptz, $12 FROM numbered{condition}
RETURNING message_id
"""
_ADDRESSED: Final = (
    "addressed",
    (
        "INSERT INTO message_recipient (recipient_id, message_id, guardian_id, contact_wire_id, state, changed_at)"
        " SELECT recipient_id, message_id, guardian_id, wire_id, $13, $11::timestamptz"
        " FROM stored, unnest($14::uuid[], $15::uuid[], $16::text[]) AS given(recipient_id, guardian_id, wire_id)"
    ),
)
_MESSAGE: Final = (_NUMBERED, ("stored", _STORED.format(condition="")), _ADDRESSED)
# Nothing is stored where the sweep has deleted the sound.
_VOICE_MESSAGE: Final = (_NUMBERED, ("stored", _STORED.format(condition=", raw_asset")), _ADDRESSED)
# A row an event, if the message was stored.
_RESULT: Final = "SELECT FROM stored, recorded"


@dataclass(frozen=True)
class WatchMessage:
    """A message from a watch: its id, the contact id or ``family``, the body, the watch's time and its audio."""

    ref: str
    to: str
    body: Body
    fingerprint: str
    happened_at: datetime | None
    clip: StoredAudio | None = None


async def receive_from_child(work: UnitOfWork, identity: WatchIdentity, sent: WatchMessage) -> Answer:
    """Store a message from a paired watch and return its receipt; after the commit the message is never lost.

    Same id and content: ``duplicate``, or the same rejection. Same id, other content: ``rejected id_conflict``.
    Recipient no longer in the family: ``rejected recipient_removed``.
    """
    answer = await known_answer(work, identity.username, sent.ref, sent.fingerprint)
    return answer or await store_from_child(work, identity, sent)


async def store_from_child(
    work: UnitOfWork, identity: WatchIdentity, sent: WatchMessage, *writes: Write
) -> Answer:  # fmt: skip
    """Do the same for an id that is new, together with further writes; one that was used meanwhile is a collision."""
    child_id = identity.child_id
    child = await work.fetch(_LOCK_CHILD, child_id)
    if not child:
        raise NoResultFound
    family_id, wrapped_key = child[0]
    recipients = await recipients_of(work, child_id, sent.to)
    answer = STORED if recipients else rejected("recipient_removed")
    receipt = remembered(
        work, identity.username, sent.ref, kind=sent.body.kind, fingerprint=sent.fingerprint, answer=answer
    )
    if not recipients:
        await write_together(work, receipt, *writes)
        return answer
    message_id, clip_id = uuid.uuid4(), None if sent.clip is None else uuid.uuid4()
    key = unwrapped_key(work, child_id, wrapped_key)
    message = _written(work, identity, sent, message_id, clip_id, key, recipients)
    fact = PastFact(
        "message_to_family_stored", work.now, watch_id=identity.watch_id, child_id=child_id,
        family_id=identity.family_id, ref_id=message_id, happened_at=sent.happened_at, voice_ms=voice_ms(sent.clip),
    )  # fmt: skip
    events = events_of_new(
        work, family_id, fact, [recipient.guardian_id for recipient in recipients],
        direction=_DIRECTION, kind=sent.body.kind,
        effects=[] if clip_id is None else [rendition_request(clip_id, Form.PHONE.value)],
    )  # fmt: skip
    stored = await write_together(work, *message, receipt, *writes, *events, result=_RESULT)
    if not stored:
        raise BlobGoneError
    check_recorded(stored, len(recipients))
    await record_arrival(work, identity, ArrivedBy.MESSAGE)
    return answer


def _written(
    work: UnitOfWork, identity: WatchIdentity, sent: WatchMessage, message_id: uuid.UUID, clip_id: uuid.UUID | None,
    key: bytes, recipients: Sequence[Recipient],
) -> list[Write]:  # fmt: skip
    """Return the writes of a message, with its asset if it has one."""
    message = Write(
        _MESSAGE if sent.clip is None else _VOICE_MESSAGE,
        (
            message_id, identity.child_id, _DIRECTION, sent.body.kind, identity.username, sent.ref,
            content_mark(key, sent.body), seal_body(key, message_id, sent.body.content), clip_id, sent.happened_at,
            work.now, work.now + work.retention.undelivered, RecipientState.STORED.value,
            [uuid.uuid4() for _ in recipients], [recipient.guardian_id for recipient in recipients],
            [recipient.wire_id for recipient in recipients],
        ),
    )  # fmt: skip
    if sent.clip is None or clip_id is None:
        return [message]
    return [raw_asset(work, clip_id, identity.child_id, sent.clip), message]
