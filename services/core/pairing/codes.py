"""Pairing codes: requested by the factory identity, looked up when a guardian enters one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, update
from sqlalchemy import select as sql_select
from sqlmodel import col, select

from services.core.devices.watches.tables import Watch
from services.core.pairing.rules import CODE_LIVES, CODE_REUSED_WHILE, CODES_PER_WATCH, CODES_PER_WATCH_WINDOW
from services.core.pairing.tables import PairingCode
from services.core.platform.crypto.random_ids import new_digits
from services.core.platform.db.database import UnitOfWork
from services.core.platform.errors import RetryLaterError

_PURPOSE = "pairing-code"


@dataclass(frozen=True)
class DisplayedCode:
    """The code that the watch shows, and its expiry."""

    code: str
    expires_at: datetime


async def code_for_watch(work: UnitOfWork, watch: Watch) -> DisplayedCode:
    """Return the code that this watch shows: the current one while 60 s of it remain, else a new one.

    Raises RetryLaterError after 20 new codes within an hour.
    """
    # One lock for all watches, because codes are rarely made: two watches must not draw the same digits at once.
    await work.run(sql_select(func.pg_advisory_xact_lock(func.hashtextextended("pairing-codes", 0))))
    recent = (
        await work.session.exec(
            select(PairingCode)
            .where(
                col(PairingCode.watch_id) == watch.watch_id,
                col(PairingCode.created_at) > work.now - CODES_PER_WATCH_WINDOW,
            )
            .order_by(col(PairingCode.created_at).desc())
        )
    ).all()
    newest = recent[0] if recent else None
    if newest is not None and newest.ended_at is None and newest.expires_at >= work.now + CODE_REUSED_WHILE:
        return DisplayedCode(_open(work, newest), newest.expires_at)
    if len(recent) >= CODES_PER_WATCH:
        oldest = recent[CODES_PER_WATCH - 1].created_at
        raise RetryLaterError(max(1, int((oldest + CODES_PER_WATCH_WINDOW - work.now) / timedelta(seconds=1))))
    await work.run(
        update(PairingCode)
        .where(
            col(PairingCode.ended_at).is_(None),
            (col(PairingCode.watch_id) == watch.watch_id) | (col(PairingCode.expires_at) <= work.now),
        )
        .values(ended_at=work.now)
    )
    code = await _unused_digits(work)
    made = PairingCode(
        watch_id=watch.watch_id, code_hash=work.vault.keyed_hash(code, _PURPOSE),
        sealed_code=work.vault.seal(code.encode(), f"code/{watch.watch_id}"), created_at=work.now,
        expires_at=work.now + CODE_LIVES,
    )  # fmt: skip
    work.add(made)
    return DisplayedCode(code, made.expires_at)


async def _unused_digits(work: UnitOfWork) -> str:
    while True:
        code = new_digits()
        used = await work.session.exec(
            select(PairingCode.pairing_code_id).where(
                col(PairingCode.code_hash) == work.vault.keyed_hash(code, _PURPOSE), col(PairingCode.ended_at).is_(None)
            )
        )
        if used.first() is None:
            return code


def _open(work: UnitOfWork, row: PairingCode) -> str:
    return work.vault.unseal(row.sealed_code, f"code/{row.watch_id}").decode()


async def current_code(work: UnitOfWork, code: str) -> PairingCode | None:
    """Return the current code with these digits, locked, so that it is used once."""
    result = await work.session.exec(
        select(PairingCode)
        .where(
            col(PairingCode.code_hash) == work.vault.keyed_hash(code, _PURPOSE),
            col(PairingCode.ended_at).is_(None),
            col(PairingCode.expires_at) > work.now,
        )
        .with_for_update(key_share=True)
    )
    return result.first()


async def used_code(work: UnitOfWork, code: str) -> PairingCode | None:
    """Return the newest used code with these digits that has not expired, to recognise a repeated request."""
    result = await work.session.exec(
        select(PairingCode)
        .where(
            col(PairingCode.code_hash) == work.vault.keyed_hash(code, _PURPOSE),
            col(PairingCode.pairing_id).is_not(None),
            col(PairingCode.expires_at) > work.now,
        )
        .order_by(col(PairingCode.ended_at).desc())
        .limit(1)
    )
    return result.first()
