"""A family's audit log, and the access log of one child."""

import uuid
from typing import Annotated

from fastapi import Query

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.family.access import BeforeConsent, GuardianOfChild
from services.api.family.schemas.privacy import AccessLogEntry, AccessLogResponse, AuditEntry, AuditLogResponse
from services.api.problems import problem_responses
from services.core.platform.audit.queries import PAGE_MAX_ENTRIES, entries_of_family
from services.core.platform.audit.tables import AuditEntry as EntryRow
from services.core.privacy.access_log.queries import PAGE_MAX_LOOKS, access_entries

router = Routes(prefix="/v1", tags=["privacy"])


@router.get("/families/{family_id}/audit", responses=problem_responses(401, 404, 422))
async def read_log(
    work: Work,
    scope: BeforeConsent,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX_ENTRIES)] = 50,
) -> AuditLogResponse:
    """Return the family's audit log, newest first: actions, refusals and changes.

    Readable by every guardian of the family, also after withdrawing consent. For the next page repeat the request with
    `before` = `next_before`.
    """
    rows = await entries_of_family(work, scope.family_id, before_seq=before, limit=limit)
    more = bool(rows) and rows[-1].seq > 1
    return AuditLogResponse(entries=[_response(row) for row in rows], next_before=rows[-1].seq if more else None)


@router.get("/children/{child_id}/looks", responses=problem_responses(401, 403, 404, 422))
async def read_looks(
    work: Work,
    scope: GuardianOfChild,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX_LOOKS)] = 50,
) -> AccessLogResponse:
    """Return the accesses to this child's places and recordings, newest first.

    For the next page repeat the request with `before` = `next_before`.
    """
    entries = await access_entries(work, scope.child, before_seq=before, limit=limit + 1)
    page = entries[:limit]
    return AccessLogResponse(
        looks=[_entry(row) for row in page], next_before=page[-1].seq if len(entries) > limit else None
    )


def _entry(row: EntryRow) -> AccessLogEntry:
    what = {"place": "place", "audio": "recording", "command.locate": "asked_the_watch"}[row.action]
    return AccessLogEntry.model_validate(
        {
            "seq": row.seq, "at": row.at, "what": what, "by": row.actor_kind,
            "guardian_id": uuid.UUID(row.actor_id) if row.actor_kind == "guardian" else None,
            "message_id": uuid.UUID(row.subject_id) if row.action == "audio" else None,
        }
    )  # fmt: skip


def _response(row: EntryRow) -> AuditEntry:
    return AuditEntry.model_validate(
        {
            **row.model_dump(include={"seq", "at", "action", "outcome", "reason", "subject_id", "asked", "times"}),
            "by": row.actor_kind,
            # For staff and watches only the kind of actor is returned; guardians do not get their ids.
            "guardian_id": uuid.UUID(row.actor_id) if row.actor_kind == "guardian" else None,
        }
    )
