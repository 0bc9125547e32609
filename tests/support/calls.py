"""Texts about calls for help: those of all rounds, and the one that waits."""

from __future__ import annotations

import uuid

from sqlmodel import col, or_, select

from services.core.devices.alerts.tables import AlertCall
from services.core.platform.db.database import Database
from tests.support.http import Parent, sms_to


async def calls_to(database: Database, person_id: str) -> int:
    """Return how many texts about alerts were written to a guardian or a contact."""
    person = uuid.UUID(person_id)
    async with database.begin() as work:
        call_ids = await work.session.exec(
            select(AlertCall.call_id).where(
                or_(col(AlertCall.guardian_id) == person, col(AlertCall.contact_id) == person)
            )
        )
        return len(call_ids.all())


async def calls_to_parents(parents: list[Parent]) -> list[int]:
    """Return how many texts about alerts were written to each of these guardians."""
    return [await calls_to(parent.database, parent.guardian_id) for parent in parents]


async def waiting_calls(parents: list[Parent]) -> list[int]:
    """Return how many texts about alerts wait for each of these guardians."""
    texts = [await sms_to(parent.database, parent.phone) for parent in parents]
    return [sum("called for help" in text for text in sent) for sent in texts]
