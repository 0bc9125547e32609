"""Purge of expired one-time codes and refresh tokens."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete
from sqlmodel import col, select

from services.core.people.accounts.tables import LoginChallenge, RefreshToken, StaffRefreshToken
from services.core.platform.db.database import UnitOfWork

# Limits count codes over at most one day; after two days a challenge has no further use.
CHALLENGES_KEPT = timedelta(days=2)
_BATCH_ROWS = 500


async def purge_one_overdue(work: UnitOfWork) -> bool:
    """Delete a batch of expired one-time codes and refresh tokens; return whether there were any. Safe to run twice."""
    challenges = (
        select(LoginChallenge.challenge_id)
        .where(col(LoginChallenge.created_at) <= work.now - CHALLENGES_KEPT)
        .limit(_BATCH_ROWS)
    )
    tokens = select(RefreshToken.token_hash).where(col(RefreshToken.expires_at) <= work.now).limit(_BATCH_ROWS)
    gone = await work.run(
        delete(LoginChallenge).where(col(LoginChallenge.challenge_id).in_(challenges)).returning(
            col(LoginChallenge.challenge_id)
        )
    )  # fmt: skip
    spent = await work.run(
        delete(RefreshToken).where(col(RefreshToken.token_hash).in_(tokens)).returning(col(RefreshToken.token_hash))
    )
    of_staff = (
        select(StaffRefreshToken.token_hash).where(col(StaffRefreshToken.expires_at) <= work.now).limit(_BATCH_ROWS)
    )
    spent_by_staff = await work.run(
        delete(StaffRefreshToken)
        .where(col(StaffRefreshToken.token_hash).in_(of_staff))
        .returning(col(StaffRefreshToken.token_hash))
    )
    return any([gone.all(), spent.all(), spent_by_staff.all()])
