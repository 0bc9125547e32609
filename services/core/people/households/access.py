"""Reads in one statement the rights of a guardian in a family: every request of a phone begins with it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import cache

from services.core.people.accounts.queries import session_stands
from services.core.people.accounts.tables import Guardian, Session
from services.core.people.households.tables import Child, Membership
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.prepared import columns_of, objects_of


@dataclass(frozen=True)
class GuardianAccess:
    """A live session, and what its guardian is to the family of a path.

    ``child`` is None unless the path names a child that is not erased; ``membership`` is None outside the family.
    ``parts`` are those of the guardian's consent that stand in that family.
    """

    session: Session
    guardian: Guardian
    child: Child | None
    membership: Membership | None
    parts: frozenset[str]


@cache
def _statement() -> str:
    return f"""
        SELECT {columns_of((Session, "s"), (Guardian, "g"), (Child, "k"), (Membership, "m"))},
               ARRAY(
                   SELECT c.part FROM consent c
                   WHERE c.guardian_id = $2 AND c.family_id = m.family_id AND c.withdrawn_at IS NULL
               )
        FROM session s
        JOIN guardian g ON g.guardian_id = s.guardian_id
        LEFT JOIN child k ON k.child_id = $3::uuid
        LEFT JOIN membership m ON m.family_id = COALESCE(k.family_id, $4::uuid)
            AND m.guardian_id = $2 AND m.removed_at IS NULL
        WHERE s.session_id = $1 AND s.guardian_id = $2
    """  # noqa: S608 - names of our own columns


async def access_of(
    work: UnitOfWork,
    session_id: uuid.UUID,
    guardian_id: uuid.UUID,
    *,
    child_id: uuid.UUID | None = None,
    family_id: uuid.UUID | None = None,
) -> GuardianAccess | None:
    """Return the access of a guardian in the child's family, or else in ``family_id``; None without a live session.

    A child or family that does not exist costs the same statement as one of others.
    """
    rows = await work.read(_statement(), session_id, guardian_id, child_id, family_id)
    if not rows:
        return None
    session, guardian, child, membership = objects_of(work, tuple(rows[0]), Session, Guardian, Child, Membership)
    if not session_stands(session, work.now):
        return None
    is_there = child is not None and child.erased_at is None
    return GuardianAccess(session, guardian, child if is_there else None, membership, frozenset(rows[0][-1]))
