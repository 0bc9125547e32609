"""The data key that seals all content of a child's conversation."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import func, update
from sqlalchemy.exc import NoResultFound
from sqlmodel import col, select

from services.core.people.households.tables import Child
from services.core.platform.crypto.errors import MasterKeyMissingError
from services.core.platform.crypto.vault import SealBrokenError, key_id_of, mark_of
from services.core.platform.db.database import Database, UnitOfWork

# Keys read in one transaction: 500 are a few dozen kilobytes.
_BATCH: Final = 500


def data_key(work: UnitOfWork, child: Child) -> bytes:
    """Return the child's data key (32 bytes).

    Raises SealBrokenError after its destruction, MasterKeyMissingError if its master key is not configured.
    """
    return work.vault.unwrap_key(child.wrapped_key, _context(child.child_id))


def unwrapped_key(work: UnitOfWork, child_id: uuid.UUID, wrapped: bytes) -> bytes:
    """Return the same for a child whose wrapped key was read as a column."""
    return work.vault.unwrap_key(wrapped, _context(child_id))


async def key_of_child(work: UnitOfWork, child_id: uuid.UUID) -> bytes:
    """Return the data key of a child by its id; raises NoResultFound, and as :func:`data_key`."""
    wrapped = await work.fetch("SELECT wrapped_key FROM child WHERE child_id = $1", child_id)
    if not wrapped:
        raise NoResultFound
    return unwrapped_key(work, child_id, wrapped[0][0])


async def unopened_keys(database: Database) -> Counter[str]:
    """Return by master key how many of the first children's keys cannot be unwrapped: after a restore, none."""
    unopened: Counter[str] = Counter()
    for child_id, wrapped in await _batch(database, None):
        try:
            database.vault.unwrap_key(wrapped, _context(child_id))
        except (MasterKeyMissingError, SealBrokenError):
            unopened[key_id_of(wrapped)] += 1
    return unopened


@dataclass
class Rewrapped:
    """Result of a rotation: the number of rewrapped keys, and by master key the number that could not be unwrapped."""

    done: int = 0
    unopened: Counter[str] = field(default_factory=Counter)


async def children_by_master_key(database: Database) -> Counter[str]:
    """Return the number of children's keys for each master key id; keys older than key ids have an empty id."""
    counted: Counter[str] = Counter()
    after: uuid.UUID | None = None
    while batch := await _batch(database, after):
        counted.update(key_id_of(wrapped) for _, wrapped in batch)
        after = batch[-1][0]
    return counted


async def rewrap_children(database: Database, progress: Callable[[], None] = lambda: None) -> Rewrapped:
    """Wrap every child's data key under the newest master key. Safe to repeat, to interrupt, and to run beside others.

    Each key is one short transaction that changes the row only if it still holds the value read, so a key destroyed
    meanwhile stays destroyed. Keys that cannot be unwrapped stay unchanged. ``progress`` is called for each key.
    """
    outcome = Rewrapped()
    after: uuid.UUID | None = None
    while batch := await _batch(database, after, mark_of(database.vault.newest_key_id)):
        for child_id, wrapped in batch:
            try:
                fresh = database.vault.rewrap_key(wrapped, _context(child_id))
            except (MasterKeyMissingError, SealBrokenError):
                outcome.unopened[key_id_of(wrapped)] += 1
            else:
                outcome.done += await _replace(database, child_id, wrapped, fresh)
            progress()
        after = batch[-1][0]
    return outcome


async def _batch(
    database: Database, after: uuid.UUID | None, but_marked: bytes | None = None
) -> Sequence[tuple[uuid.UUID, bytes]]:
    """Return the next children's wrapped keys in the order of child ids, without destroyed ones."""
    statement = select(Child.child_id, Child.wrapped_key).where(func.length(Child.wrapped_key) > 0)
    if after is not None:
        statement = statement.where(col(Child.child_id) > after)
    if but_marked is not None:
        statement = statement.where(func.substring(Child.wrapped_key, 1, len(but_marked)) != but_marked)
    async with database.begin() as work:
        return (await work.session.exec(statement.order_by(col(Child.child_id)).limit(_BATCH))).all()


async def _replace(database: Database, child_id: uuid.UUID, old: bytes, new: bytes) -> int:
    async with database.begin() as work:
        changed = await work.run(
            update(Child).where(col(Child.child_id) == child_id, col(Child.wrapped_key) == old).values(wrapped_key=new)
        )
        return changed.rowcount


def _context(child_id: uuid.UUID) -> str:
    return f"child/{child_id}"
