"""Request a file of published numbers, follow its progress, fetch it; it is deleted when its retention ends.

All numbers in a file have passed disclosure control: no file holds a row about one family.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from sqlmodel import col, select

from services.core.measurement.errors import (
    MappingNeededError,
    RecipientNotAllowedError,
    UsageExportNotReadyError,
    UsageExportRunningError,
)
from services.core.measurement.tables import UsageExport, UsageExportFile
from services.core.people.accounts.actors import staff_actor
from services.core.people.accounts.tables import Staff
from services.core.people.households.errors import NotFoundError
from services.core.people.programme.queries import programme_served, site_served
from services.core.platform.audit.actions import record_audit
from services.core.platform.crypto.vault import Vault, unseal
from services.core.platform.db.claiming import expire_oldest, state_to_fetch
from services.core.platform.db.columns import new_id
from services.core.platform.db.database import UnitOfWork
from services.core.platform.disclosure import Audience
from services.core.platform.outbox.actions import CHANNEL


class FileKind(StrEnum):
    """Formats of a file."""

    CSV = "csv"
    XLSX = "xlsx"
    REPORT = "report"
    DHIS2 = "dhis2"


class Recipient(StrEnum):
    """Recipient of a file."""

    STAFF = "staff"
    FACTORY = "factory"
    BRAND = "brand"


# Staff and the factory are inside the programme; a brand is outside, as the public is.
AUDIENCE_OF: Final[Mapping[Recipient, Audience]] = {
    Recipient.STAFF: Audience.STAFF, Recipient.FACTORY: Audience.STAFF, Recipient.BRAND: Audience.PUBLIC,
}  # fmt: skip
_FACTORY_ROLE: Final = "factory"


@dataclass(frozen=True)
class FileRequest:
    """A requested file; ``mapping`` has the names that DHIS2 uses, for that kind only."""

    kind: FileKind
    recipient: Recipient
    locale: str = "en"
    mapping: Mapping[str, Any] = field(default_factory=dict)


async def request_file(
    work: UnitOfWork, staff: Staff, requested: FileRequest, *, site_id: uuid.UUID | None, programme_id: uuid.UUID | None
) -> UsageExport:
    """Queue a file about a site or a whole programme (one id is given) for the worker.

    Raises NotFoundError for scopes outside the staff member's, RecipientNotAllowedError, MappingNeededError, and
    UsageExportRunningError while another file of the same staff member is running.
    """
    # Serialises two requests of the same staff member.
    await work.session.get_one(Staff, staff.staff_id, with_for_update={"key_share": True}, populate_existing=True)
    if site_id is not None:
        site = await site_served(work, staff.staff_id, site_id)
        programme_id = None if site is None else site.programme_id
    elif programme_id is not None and await programme_served(work, staff.staff_id, programme_id) is None:
        programme_id = None
    if programme_id is None:
        raise NotFoundError
    if staff.role == _FACTORY_ROLE and requested.recipient is not Recipient.FACTORY:
        raise RecipientNotAllowedError
    if bool(requested.mapping) is not (requested.kind is FileKind.DHIS2):
        raise MappingNeededError
    running = await work.session.exec(
        select(UsageExport.usage_export_id).where(
            UsageExport.staff_id == staff.staff_id, col(UsageExport.state).in_(["waiting", "running"])
        )
    )
    if running.first() is not None:
        raise UsageExportRunningError
    export_id = new_id()
    export = UsageExport(
        usage_export_id=export_id, staff_id=staff.staff_id, programme_id=programme_id, site_id=site_id,
        kind=requested.kind, recipient=requested.recipient, locale=requested.locale, mapping=dict(requested.mapping),
        asked_at=work.now, wrapped_key=work.vault.new_wrapped_key(context_of(export_id)),
    )  # fmt: skip
    work.add(export)
    await work.flush()
    record_audit(work, staff_actor(staff.staff_id), "usage_export.asked", subject_id=export_id)
    work.notify(CHANNEL, "usage_export")
    return export


async def list_files(work: UnitOfWork, staff_id: uuid.UUID, most: int) -> Sequence[UsageExport]:
    """Return the latest exports that a staff member requested, newest first."""
    result = await work.session.exec(
        select(UsageExport)
        .where(UsageExport.staff_id == staff_id)
        .order_by(col(UsageExport.asked_at).desc(), col(UsageExport.usage_export_id))
        .limit(most)
    )
    return result.all()


async def own_file(work: UnitOfWork, staff_id: uuid.UUID, export_id: uuid.UUID) -> UsageExport:
    """Return one's own export about a scope that one still serves; raises NotFoundError."""
    export = await work.session.get(UsageExport, export_id)
    if export is None or export.staff_id != staff_id:
        raise NotFoundError
    if export.site_id is not None:
        serves = await site_served(work, staff_id, export.site_id) is not None
    else:
        serves = await programme_served(work, staff_id, export.programme_id) is not None
    if not serves:
        raise NotFoundError
    return export


async def open_file(work: UnitOfWork, export: UsageExport) -> bytes:
    """Return the finished file and record the access. Raises UsageExportNotReadyError."""
    if (state := state_to_fetch(work, export)) != "ready":
        raise UsageExportNotReadyError(state)
    file = await work.session.get_one(UsageExportFile, export.usage_export_id)
    record_audit(work, staff_actor(export.staff_id), "usage_export.read", subject_id=export.usage_export_id)
    return unseal(key_of(work.vault, export), file.sealed, context_of(export.usage_export_id))


async def expire_one_file(work: UnitOfWork) -> bool:
    """Delete one expired file and its key; return whether there was one. Idempotent."""
    export = await expire_oldest(work, UsageExport)
    if export is None:
        return False
    if (file := await work.session.get(UsageExportFile, export.usage_export_id)) is not None:
        await work.session.delete(file)
    return True


def key_of(vault: Vault, export: UsageExport) -> bytes:
    """Return the key that seals this file only."""
    return vault.unwrap_key(export.wrapped_key, context_of(export.usage_export_id))


def context_of(export_id: uuid.UUID) -> str:
    """Return the context that binds a key and a file to this export."""
    return f"usage-export/{export_id}"
