"""Register push endpoints, choose the endpoints that an event notifies, and record the outcome of each delivery."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete
from sqlmodel import col, select

from services.core.devices.push.errors import PushEndpointsFullError
from services.core.devices.push.rules import (
    ENDPOINTS_MAX,
    TRIAL,
    EndpointKind,
    Outcome,
    is_gone_for_good,
    is_still_useful,
)
from services.core.devices.push.tables import PushEndpoint
from services.core.devices.push.web_push import browser_keys
from services.core.people.accounts.rules import REFRESH_LIFETIME
from services.core.people.accounts.tables import Guardian, Session
from services.core.people.consents.errors import ConsentRequiredError
from services.core.people.consents.queries import guardians_who_consented
from services.core.people.consents.rules import Part
from services.core.people.households.errors import NotFoundError
from services.core.people.households.queries import event_numbers, families_of, guardians_of, rights_of
from services.core.platform.crypto.random_ids import new_secret
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.events.tables import Event
from services.core.platform.outbox.actions import queue_push
from services.core.platform.outbox.rules import Urgency
from services.core.platform.outbox.tables import OutboxRow

# The endpoints of the guardians of families, of sessions that stand as `endpoints_of` has it.
_ENDPOINTS: Final = """
SELECT membership.family_id, push_endpoint.guardian_id, push_endpoint.endpoint_id
  FROM membership
  JOIN push_endpoint ON push_endpoint.guardian_id = membership.guardian_id
  JOIN session ON session.session_id = push_endpoint.session_id
 WHERE membership.family_id = ANY($1::uuid[]) AND membership.removed_at IS NULL
   AND session.ended_at IS NULL AND NOT session.limited AND session.last_used_at > $2
 ORDER BY push_endpoint.created_at, push_endpoint.endpoint_id
"""


@dataclass(frozen=True)
class Target:
    """Where and how to send: a checked address, and the keys of its kind (empty: none)."""

    kind: EndpointKind
    address: str
    # Web Push: the keys as the browser gave them. Webhook: the secret of the signature, in ``auth``.
    p256dh: str = ""
    auth: str = ""


async def register_endpoint(
    work: UnitOfWork, guardian_id: uuid.UUID, session_id: uuid.UUID, target: Target
) -> tuple[PushEndpoint, str]:
    """Store an endpoint of this session; return it with the secret of a webhook's signature, which is shown once.

    Registering the same address again replaces the endpoint. Raises PushKeysInvalidError, PushEndpointsFullError.
    """
    if target.kind is EndpointKind.WEB_PUSH:
        browser_keys(target.p256dh, target.auth)
        secret = ""
    else:
        secret = new_secret()
        target = Target(target.kind, target.address, auth=secret)
    # The lock of the guardian's row serialises concurrent registrations, so that the count is right.
    await work.session.exec(
        select(Guardian).where(col(Guardian.guardian_id) == guardian_id).with_for_update(key_share=True)
    )
    mark = work.vault.keyed_hash(target.address, "push-address")
    endpoints = await endpoints_of(work, guardian_id)
    endpoint = next((endpoint for endpoint in endpoints if endpoint.mark == mark), None)
    if endpoint is None:
        if len(endpoints) >= ENDPOINTS_MAX:
            raise PushEndpointsFullError(ENDPOINTS_MAX)
        endpoint = PushEndpoint(
            guardian_id=guardian_id, session_id=session_id, kind=target.kind.value, mark=mark, sealed=b"",
            created_at=work.now,
        )  # fmt: skip
    endpoint.session_id = session_id
    endpoint.kind = target.kind.value
    endpoint.failing_since_at = None
    plain = json.dumps([target.address, target.p256dh, target.auth])
    endpoint.sealed = work.vault.seal(plain.encode(), f"push/{endpoint.endpoint_id}")
    work.add(endpoint)
    await work.flush()
    return endpoint, secret


async def endpoints_of(work: UnitOfWork, guardian_id: uuid.UUID) -> list[PushEndpoint]:
    """Return a guardian's endpoints whose session stands, the oldest first."""
    result = await work.session.exec(
        select(PushEndpoint)
        .join(Session, col(Session.session_id) == col(PushEndpoint.session_id))
        .where(
            col(PushEndpoint.guardian_id) == guardian_id,
            col(Session.ended_at).is_(None),
            # A session before the second step sees nothing of a family.
            ~col(Session.limited),
            col(Session.last_used_at) > work.now - REFRESH_LIFETIME,
        )
        .order_by(col(PushEndpoint.created_at), col(PushEndpoint.endpoint_id))
    )
    return list(result)


async def remove_endpoint(work: UnitOfWork, guardian_id: uuid.UUID, endpoint_id: uuid.UUID) -> None:
    """Delete an endpoint of this guardian. Raises NotFoundError."""
    endpoint = await work.session.get(PushEndpoint, endpoint_id)
    if endpoint is None or endpoint.guardian_id != guardian_id:
        raise NotFoundError
    await work.session.delete(endpoint)


async def try_endpoint(work: UnitOfWork, guardian_id: uuid.UUID, endpoint_id: uuid.UUID) -> None:
    """Send a trial note to one endpoint of this guardian and to no other. Raises NotFoundError.

    The note belongs to an event that only this guardian may read, in a family whose consent stands: a note is sent for
    an event, by the rights at the time of sending.
    """
    endpoint = next(
        (other for other in await endpoints_of(work, guardian_id) if other.endpoint_id == endpoint_id), None
    )
    if endpoint is None:
        raise NotFoundError
    for _, family in await families_of(work, guardian_id):
        if guardian_id in await guardians_who_consented(work, family.family_id, Part.MESSAGES):
            await record_event(work, family.family_id, TRIAL, guardian_id=guardian_id)
            seq = (await event_numbers(work, [family.family_id]))[family.family_id]
            note = {"kind": TRIAL, "family_id": str(family.family_id), "seq": str(seq), "child_id": "", "ref_id": ""}
            await queue_push(work, endpoint.endpoint_id, note)
            return
    raise ConsentRequiredError(Part.MESSAGES)


async def fan_out(work: UnitOfWork, rows: Sequence[OutboxRow]) -> int:
    """Queue a note for each endpoint that the events of ``wake`` rows notify; return their number.

    One statement for all rows where nobody is to be woken, which is so for most families.
    """
    endpoints: dict[uuid.UUID, list[uuid.UUID]] = {}
    families: set[uuid.UUID] = set()
    for record in await work.fetch(_ENDPOINTS, list({row.target for row in rows}), work.now - REFRESH_LIFETIME):
        families.add(record["family_id"])
        of_guardian = endpoints.setdefault(record["guardian_id"], [])
        if record["endpoint_id"] not in of_guardian:
            of_guardian.append(record["endpoint_id"])
    count = 0
    for row in rows:
        family_id = uuid.UUID(row.target)
        event = await work.session.get(Event, (family_id, int(row.payload["seq"]))) if family_id in families else None
        if event is None:
            continue
        note = {
            "kind": event.kind, "family_id": str(event.family_id), "seq": str(event.seq),
            "child_id": str(event.child_id or ""), "ref_id": str(event.ref_id or ""),
        }  # fmt: skip
        for guardian_id in await _to_be_told(work, event):
            for endpoint_id in endpoints.get(guardian_id, ()):
                await queue_push(work, endpoint_id, note, Urgency(row.priority))
                count += 1
    return count


async def _to_be_told(work: UnitOfWork, event: Event) -> list[uuid.UUID]:
    """Return the guardians who may be notified of an event, by their rights and consents now."""
    consented = await guardians_who_consented(work, event.family_id, Part.MESSAGES)
    return [
        guardian.guardian_id
        for membership, guardian in await guardians_of(work, event.family_id)
        if guardian.guardian_id in consented
        and event.guardian_id in {None, guardian.guardian_id}
        and (not event.needs_right or event.needs_right in rights_of(membership).words())
        and membership.joined_at <= event.created_at
    ]


@dataclass(frozen=True)
class Delivery:
    """A note and its endpoint."""

    endpoint_id: uuid.UUID
    target: Target
    kind: str
    note: bytes


async def open_delivery(work: UnitOfWork, row: OutboxRow) -> Delivery | None:
    """Return the delivery of a claimed ``push`` row, or None if nothing is to be sent any more.

    None: the endpoint was deleted, its guardian may no longer be notified, or the note is too old. All of it is decided
    now, however long the row has waited.
    """
    endpoint = await work.session.get(PushEndpoint, uuid.UUID(row.target))
    event = await work.session.get(Event, (uuid.UUID(row.payload["family_id"]), int(row.payload["seq"])))
    if endpoint is None or event is None or not is_still_useful(event.kind, row.created_at, work.now):
        return None
    standing = {other.endpoint_id for other in await endpoints_of(work, endpoint.guardian_id)}
    if endpoint.endpoint_id not in standing or endpoint.guardian_id not in await _to_be_told(work, event):
        return None
    address, p256dh, auth = json.loads(work.vault.unseal(endpoint.sealed, f"push/{endpoint.endpoint_id}"))
    content = {name: row.payload[name] for name in ("kind", "family_id", "child_id", "ref_id")}
    return Delivery(
        endpoint.endpoint_id, Target(EndpointKind(endpoint.kind), address, p256dh, auth), event.kind,
        json.dumps(content, separators=(",", ":")).encode(),
    )  # fmt: skip


async def record_outcome(work: UnitOfWork, endpoint_id: uuid.UUID, outcome: Outcome) -> bool:
    """Record the outcome of a delivery; return whether to retry. An endpoint that is gone for good is deleted."""
    result = await work.session.exec(
        select(PushEndpoint).where(col(PushEndpoint.endpoint_id) == endpoint_id).with_for_update(key_share=True)
    )
    endpoint = result.first()
    if endpoint is None:
        return False
    if outcome is Outcome.TAKEN:
        endpoint.taken_at, endpoint.failing_since_at = work.now, None
    elif outcome is Outcome.GONE or is_gone_for_good(endpoint.failing_since_at, work.now):
        await work.session.delete(endpoint)
        return False
    else:
        endpoint.failing_since_at = endpoint.failing_since_at or work.now
    work.add(endpoint)
    return outcome is Outcome.LATER


async def purge_one_endpoint(work: UnitOfWork) -> bool:
    """Delete the endpoints of sessions that have ended; return whether there were any. A repeat is safe."""
    ended = (
        select(PushEndpoint.endpoint_id)
        .join(Session, col(Session.session_id) == col(PushEndpoint.session_id))
        .where(
            col(Session.ended_at).is_not(None) | (col(Session.last_used_at) <= work.now - REFRESH_LIFETIME)
        )
        .limit(500)
    )  # fmt: skip
    gone = await work.run(
        delete(PushEndpoint)
        .where(col(PushEndpoint.endpoint_id).in_(ended))
        .returning(col(PushEndpoint.endpoint_id))
    )  # fmt: skip
    return bool(gone.all())
