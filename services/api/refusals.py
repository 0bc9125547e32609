"""Record every refusal: called in one place for each refusing answer, whatever raised it.

A refusal of a caller with a token is recorded before the answer is sent. Refusals of strangers and of callers over a
limit are counted, and each minute equal ones become one entry: a stranger must not be able to fill the log.
docs/decisions/0040-audited-refusals.md
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final

import structlog
from fastapi import Request

from services.core.people.accounts.actors import staff_actor
from services.core.people.accounts.errors import RefreshTokenInvalidError, StaffLogInRefusedError
from services.core.people.households.queries import family_meant
from services.core.platform.audit.actions import STRANGER, Actor, guardian_actor, record_audit
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.errors import CoreError

# Statuses that mean "not you" or "not so often". 409 and 422 concern the request itself.
REFUSING: Final = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS}
)
_WRITTEN_EVERY_S: Final = 60.0
# For strangers there are no more kinds than routes and codes; for callers over a limit, as many as accounts. Beyond
# this bound within a minute, refusals are counted without the route.
_MOST_KINDS: Final = 1000
_NAMES: Final = ("child_id", "family_id", "family_code")

log = structlog.get_logger()


@dataclass(frozen=True)
class Refusal:
    """A refusal: actor, route and code; ``meant`` holds the ids of the family in the path, as they were sent."""

    actor: Actor
    asked: str
    code: str
    meant: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class _Asker:
    actor: Actor
    meant: Mapping[str, str]


def note_caller(
    request: Request, actor: Actor, *, child_id: uuid.UUID | None = None, family_id: uuid.UUID | None = None
) -> None:
    """Remember the caller of a token, also of an ended session, and the family that a link names."""
    meant = {
        name: str(subject_id)
        for name, subject_id in (("child_id", child_id), ("family_id", family_id))
        if subject_id is not None
    }
    request.state.asker = _Asker(actor, meant)


class Refusals:
    """Records the refusals of this process."""

    def __init__(self, database: Database, *, most_kinds: int = _MOST_KINDS) -> None:
        self._database = database
        self._most_kinds = most_kinds
        self._counted: Counter[Refusal] = Counter()

    async def note(self, request: Request, error: CoreError, status: int) -> None:
        """Record a refusal, unless the refusing code has recorded it; raises what the database raises."""
        work: UnitOfWork | None = getattr(request.state, "work", None)
        is_recorded = work is not None and work.keeps_refusal and work.refusal_is_recorded
        if status not in REFUSING or is_recorded:
            return
        asker: _Asker | None = getattr(request.state, "asker", None)
        asked = f"{request.method} {getattr(request.scope.get('route'), 'path', '')}"
        if asker is None:
            self._count(Refusal(_claimed_actor(request, error), asked, error.code))
            return
        named = {name: str(value) for name, value in request.path_params.items() if name in _NAMES}
        refusal = Refusal(asker.actor, asked, error.code, tuple(sorted({**named, **asker.meant}.items())))
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            self._count(refusal)
            return
        async with self._database.begin() as fresh:
            await _write(fresh, refusal, 1)

    async def write_counted(self) -> None:
        """Record one entry for all equal refusals since the last time; what cannot be written now is kept."""
        counted, self._counted = self._counted, Counter()
        try:
            if counted:
                async with self._database.begin() as work:
                    for refusal, times in counted.items():
                        await _write(work, refusal, times)
        except BaseException:
            self._counted.update(counted)
            raise

    async def keep_writing(self) -> None:
        """Record the counted refusals each minute, until cancelled."""
        while True:
            await asyncio.sleep(_WRITTEN_EVERY_S)
            try:
                await self.write_counted()
            except Exception as error:  # noqa: BLE001 - whatever it is: the next minute tries again
                log.warning("refusals_not_written", error=type(error).__qualname__)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Record each minute within the block, and the rest at its end."""
        writing = asyncio.create_task(self.keep_writing())
        try:
            yield
        finally:
            writing.cancel()
            # A cancelled write returns its counts first.
            await asyncio.wait([writing])
            try:
                await self.write_counted()
            except Exception as error:  # noqa: BLE001 - a process that ends has nobody to tell
                log.warning("refusals_not_written", error=type(error).__qualname__)

    def _count(self, refusal: Refusal) -> None:
        if len(self._counted) >= self._most_kinds and refusal not in self._counted:
            refusal = replace(refusal, actor=Actor(refusal.actor.kind), meant=())
        self._counted[refusal] += 1


def _claimed_actor(request: Request, error: CoreError) -> Actor:
    """Return whose password or refresh token was tried, where that is known."""
    if not isinstance(error, RefreshTokenInvalidError | StaffLogInRefusedError) or error.of_whom is None:
        return STRANGER
    is_staff = request.url.path.startswith("/v1/staff/")
    return staff_actor(error.of_whom) if is_staff else guardian_actor(error.of_whom)


async def _write(work: UnitOfWork, refusal: Refusal, times: int) -> None:
    """Append the entry to the chain of the family in the path, if it exists; otherwise to the common chain.

    The queries are the same in both cases.
    """
    family_id, child_id = await family_meant(work, **dict(refusal.meant))
    kind = refusal.actor.kind
    action = "strangers" if kind == STRANGER.kind else "staff.access" if kind == "staff" else "access"
    record_audit(
        work, refusal.actor, action, family_id=family_id, subject_id=child_id or family_id or "",
        refused=refusal.code, asked=refusal.asked, times=times,
    )  # fmt: skip
