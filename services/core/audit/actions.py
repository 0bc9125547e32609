"""Write the audit log."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from services.core.audit.tables import AuditEntry
from services.core.db.database import UnitOfWork


@dataclass(frozen=True)
class Actor:
    """Who acts: guardian or staff (by id), watch (by user name), operator (the command line), system."""

    kind: str
    id: str = ""


SYSTEM = Actor("system")
OPERATOR = Actor("operator")


def guardian_actor(guardian_id: uuid.UUID) -> Actor:
    """Return the actor for a guardian."""
    return Actor("guardian", str(guardian_id))


def record_audit(
    work: UnitOfWork,
    actor: Actor,
    action: str,
    *,
    family_id: uuid.UUID | None = None,
    subject_id: uuid.UUID | str = "",
    refused: str = "",
) -> None:
    """Append one entry: ids only; ``refused`` is the error's code where the action was refused."""
    work.add(
        AuditEntry(
            at=work.now, actor_kind=actor.kind, actor_id=actor.id, action=action,
            outcome="refused" if refused else "done", reason=refused, family_id=family_id, subject_id=str(subject_id),
        )
    )  # fmt: skip
