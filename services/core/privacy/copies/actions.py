"""Request a copy of one's data, follow its progress, fetch it; the copy is deleted when its retention ends."""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlmodel import col, select

from services.core.people.accounts.errors import AccessTokenInvalidError
from services.core.people.households.errors import NotFoundError
from services.core.people.households.queries import membership_in
from services.core.platform.audit.actions import guardian_actor, record_audit
from services.core.platform.blobs.actions import release
from services.core.platform.blobs.tables import Blob
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.claiming import expire_oldest, state_to_fetch
from services.core.platform.db.columns import new_id
from services.core.platform.db.database import UnitOfWork
from services.core.platform.outbox.actions import CHANNEL
from services.core.privacy.errors import ExportNotReadyError, ExportRunningError
from services.core.privacy.tables import Export

_LINK = struct.Struct(">16s16s16sQ")
_MAC_BYTES = 32


@dataclass(frozen=True)
class ExportFile:
    """Location of the sealed file, and the key that opens it."""

    blob_id: uuid.UUID
    key: bytes
    size_bytes: int


@dataclass(frozen=True)
class LinkClaims:
    """The guardian, the export and the expiry that a link states."""

    export_id: uuid.UUID
    guardian_id: uuid.UUID
    session_id: uuid.UUID


async def request_export(work: UnitOfWork, family_id: uuid.UUID, guardian_id: uuid.UUID) -> Export:
    """Queue an export for the worker. Raises NotFoundError, ExportRunningError while another one is running."""
    if await membership_in(work, family_id, guardian_id, lock=True) is None:
        raise NotFoundError
    running = await work.session.exec(
        select(Export.export_id).where(Export.guardian_id == guardian_id, col(Export.state).in_(["waiting", "running"]))
    )
    if running.first() is not None:
        raise ExportRunningError
    export_id = new_id()
    export = Export(
        export_id=export_id, family_id=family_id, guardian_id=guardian_id, asked_at=work.now,
        wrapped_key=work.vault.new_wrapped_key(_context(export_id)),
    )  # fmt: skip
    work.add(export)
    await work.flush()
    record_audit(work, guardian_actor(guardian_id), "export.asked", family_id=family_id, subject_id=export_id)
    work.notify(CHANNEL, "export")
    return export


async def list_exports(work: UnitOfWork, family_id: uuid.UUID, guardian_id: uuid.UUID) -> Sequence[Export]:
    """Return the guardian's own exports of this family, newest first."""
    result = await work.session.exec(
        select(Export)
        .where(Export.family_id == family_id, Export.guardian_id == guardian_id)
        .order_by(col(Export.asked_at).desc(), col(Export.export_id))
    )
    return result.all()


async def own_export(work: UnitOfWork, family_id: uuid.UUID, guardian_id: uuid.UUID, export_id: uuid.UUID) -> Export:
    """Return the guardian's own export; raises NotFoundError."""
    export = await work.session.get(Export, export_id)
    if export is None or (export.family_id, export.guardian_id) != (family_id, guardian_id):
        raise NotFoundError
    return export


def check_ready(work: UnitOfWork, export: Export) -> datetime:
    """Return the time until which the export can be fetched; raises ExportNotReadyError."""
    state = state_to_fetch(work, export)
    if state != "ready" or export.expires_at is None:
        raise ExportNotReadyError(state)
    return export.expires_at


async def open_export(work: UnitOfWork, export: Export) -> ExportFile:
    """Return what is needed to read a finished export and record the access. Raises ExportNotReadyError."""
    check_ready(work, export)
    result = await work.session.exec(select(Blob).where(Blob.export_id == export.export_id, Blob.state == "kept"))
    blob = result.one()
    record_audit(
        work, guardian_actor(export.guardian_id), "export.read", family_id=export.family_id, subject_id=export.export_id
    )
    return ExportFile(blob.blob_id, key_of(work.vault, export), blob.size_bytes)


async def expire_one_export(work: UnitOfWork) -> bool:
    """Delete one expired export, its key first; return whether there was one. Idempotent."""
    export = await expire_oldest(work, Export)
    if export is None:
        return False
    blobs = await work.session.exec(select(Blob.blob_id).where(Blob.export_id == export.export_id))
    for blob_id in blobs.all():
        await release(work, blob_id)
    return True


def key_of(vault: Vault, export: Export) -> bytes:
    """Return the key that seals the file of this export only."""
    return vault.unwrap_key(export.wrapped_key, _context(export.export_id))


def issue_link(vault: Vault, claims: LinkClaims, expires_at: datetime) -> str:
    """Return the secret part of a link that opens one export until ``expires_at``."""
    packed = _LINK.pack(
        claims.export_id.bytes, claims.guardian_id.bytes, claims.session_id.bytes, int(expires_at.timestamp())
    )
    return base64.urlsafe_b64encode(packed + _mac(vault, packed)).decode().rstrip("=")


def read_link(vault: Vault, token: str, now: datetime) -> LinkClaims:
    """Return the claims of a link; every fault raises the same AccessTokenInvalidError."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise AccessTokenInvalidError from error
    if len(raw) != _LINK.size + _MAC_BYTES:
        raise AccessTokenInvalidError
    packed, mac = raw[: _LINK.size], raw[_LINK.size :]
    if not hmac.compare_digest(mac, _mac(vault, packed)):
        raise AccessTokenInvalidError
    export_id, guardian_id, session_id, expires_s = _LINK.unpack(packed)
    if now >= datetime.fromtimestamp(expires_s, UTC):
        raise AccessTokenInvalidError
    return LinkClaims(uuid.UUID(bytes=export_id), uuid.UUID(bytes=guardian_id), uuid.UUID(bytes=session_id))


def _mac(vault: Vault, packed: bytes) -> bytes:
    return vault.keyed_hash(packed.hex(), "export-link")


def _context(export_id: uuid.UUID) -> str:
    return f"export/{export_id}"


# A killed process loses its claim after this time; another process then starts the export again.
CLAIM_LIVES = timedelta(minutes=15)
TRIES = 5
