"""Refresh tokens of guardians' and staff's sessions: rotation, reuse, and the 60 seconds for a lost response.

The rule is ``rules.judge_refresh``; docs/decisions/0008-refresh-token-reuse.md has the reasons.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sqlmodel import col, select

from services.core.people.accounts import rules
from services.core.people.accounts.errors import RefreshTokenInvalidError
from services.core.people.accounts.rules import PresentedToken, RefreshVerdict
from services.core.people.accounts.tables import RefreshToken, Session, StaffRefreshToken, StaffSession
from services.core.platform.crypto.random_ids import new_secret
from services.core.platform.db.database import UnitOfWork

SessionRow = TypeVar("SessionRow", Session, StaffSession)
TokenRow = TypeVar("TokenRow", RefreshToken, StaffRefreshToken)


@dataclass(frozen=True)
class RefreshChain(Generic[SessionRow, TokenRow]):
    """The parts in which the chains of guardians and of staff differ.

    ``session_key``: the name of the session's id, the same in both tables. ``new_token`` makes the row of a token from
    its session and hash. ``may_continue`` returns whether the session accepts a refresh token now. ``end`` ends the
    session for a reason; ``on_rotation`` runs after a token was used for the first time.
    """

    session_table: type[SessionRow]
    token_table: type[TokenRow]
    session_key: str
    hash_context: str
    successor_context: str
    new_token: Callable[[SessionRow, bytes, datetime], TokenRow]
    owner_of: Callable[[SessionRow], uuid.UUID]
    may_continue: Callable[[SessionRow, datetime], bool]
    end: Callable[[UnitOfWork, SessionRow, str], Awaitable[None]]
    on_rotation: Callable[[UnitOfWork, SessionRow], Awaitable[None]]

    def start(self, work: UnitOfWork, session: SessionRow) -> str:
        """Add the first token of a session's chain and return it; only its hash is stored."""
        token = new_secret()
        self._add_token(work, session, token)
        return token

    async def refresh(self, work: UnitOfWork, token: str) -> tuple[SessionRow, str]:
        """Use a refresh token once; return its session and its successor.

        A repeat within 60 seconds returns the same successor while that is unused: the response may have been lost.
        Any other use of a used token ends the session, which is committed although the call raises. Raises
        RefreshTokenInvalidError.
        """
        row = await self._token_and_session(work, token)
        if row is None:
            raise RefreshTokenInvalidError
        stored, session = row
        if not self.may_continue(session, work.now):
            raise RefreshTokenInvalidError(self.owner_of(session))
        successor = self._successor_of(work, token)
        verdict = await self._verdict(work, stored, successor)
        if verdict is RefreshVerdict.REUSED:
            await self.end(work, session, "token_reused")
            work.keep_refusal()
            raise RefreshTokenInvalidError(self.owner_of(session))
        if verdict is RefreshVerdict.EXPIRED:
            raise RefreshTokenInvalidError(self.owner_of(session))
        if verdict is RefreshVerdict.ROTATE:
            stored.used_at = session.last_used_at = work.now
            work.add(stored, session)
            await self.on_rotation(work, session)
            self._add_token(work, session, successor)
        return session, successor

    async def _token_and_session(self, work: UnitOfWork, token: str) -> tuple[TokenRow, SessionRow] | None:
        rows = await work.session.exec(
            select(self.token_table, self.session_table)
            .join(
                self.session_table,
                col(getattr(self.session_table, self.session_key)) == col(getattr(self.token_table, self.session_key)),
            )
            .where(col(self.token_table.token_hash) == self._hash_of(work, token))
            # The session's row lock serialises two uses of one chain.
            .with_for_update(of=[self.token_table, self.session_table])
        )
        return rows.first()

    async def _verdict(self, work: UnitOfWork, stored: TokenRow, successor: str) -> RefreshVerdict:
        following = await work.session.get(self.token_table, self._hash_of(work, successor))
        successor_used = following is not None and following.used_at is not None
        return rules.judge_refresh(PresentedToken(stored.expires_at, stored.used_at, successor_used), work.now)

    def _add_token(self, work: UnitOfWork, session: SessionRow, token: str) -> None:
        work.add(self.new_token(session, self._hash_of(work, token), work.now))

    def _hash_of(self, work: UnitOfWork, token: str) -> bytes:
        return work.vault.keyed_hash(token, self.hash_context)

    def _successor_of(self, work: UnitOfWork, token: str) -> str:
        # Derived, not drawn: a repeat gets the same successor although the successor is stored as a hash only.
        derived = work.vault.keyed_hash(token, self.successor_context)
        return base64.urlsafe_b64encode(derived).decode().rstrip("=")
