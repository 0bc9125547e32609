"""Who looked, who was refused, who changed what: a family's own log."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query

from services.api.access_family import BeforeConsent
from services.api.dependencies import Work
from services.api.problems import answers
from services.api.schemas.privacy import AuditEntry, AuditPage
from services.core.audit.queries import PAGE_MAX_ENTRIES, entries_of_family
from services.core.audit.tables import AuditEntry as EntryRow

router = APIRouter(prefix="/v1", tags=["privacy"])


@router.get("/families/{family_id}/audit", responses=answers(401, 404, 422))
async def read_log(
    work: Work,
    scope: BeforeConsent,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX_ENTRIES)] = 50,
) -> AuditPage:
    """Read the family's log, newest first; consent that was taken back does not close it."""
    rows = await entries_of_family(work, scope.family_id, before_seq=before, limit=limit)
    more = bool(rows) and rows[-1].seq > 1
    return AuditPage(entries=[_told(row) for row in rows], next_before=rows[-1].seq if more else None)


def _told(row: EntryRow) -> AuditEntry:
    return AuditEntry.model_validate(
        {
            **row.model_dump(include={"seq", "at", "action", "outcome", "reason", "subject_id"}),
            "by": row.actor_kind,
            # Staff and watches are told by what they are: their ids are nobody's business here.
            "guardian_id": uuid.UUID(row.actor_id) if row.actor_kind == "guardian" else None,
        }
    )
