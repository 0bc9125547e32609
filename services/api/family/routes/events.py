"""Events: a live stream (server-sent events), and pages of missed events."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import structlog
from fastapi import Depends, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from services.api.cursor import Position, read_cursor, tag_of, write_cursor
from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.family.access import Caller, IsLoggedIn
from services.api.family.schemas.events import Event, EventsResponse
from services.api.problems import problem_responses
from services.api.stream import EventHub
from services.core.people.accounts.streams import open_stream
from services.core.people.consents.rules import Part
from services.core.people.households.first_screen import FamiliesShown
from services.core.people.households.queries import EventReach, event_reach, reach_of_stream
from services.core.people.households.rules import Right
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.db.faults import is_database_unavailable
from services.core.platform.erasure_ledger import ErasuresPendingError, LedgerAwayError, LedgerBrokenError
from services.core.platform.events.queries import StreamedEvent, event_times, events_after

router = Routes(prefix="/v1", tags=["events"])

log = structlog.get_logger()

PAGE_EVENTS = 200
# The hub wakes a stream for every new event. This interval catches changes caused by time alone.
LOOK_EVERY_S = 300.0


@dataclass(frozen=True)
class _Scope:
    """Families a stream may read, with the last number, the caller's rights and the time of joining."""

    cursors: dict[uuid.UUID, Position]
    rights: dict[uuid.UUID, frozenset[str]]
    joined_at: dict[uuid.UUID, datetime]
    # Families whose cursor refers to events missing from the database, which was restored from a backup.
    reset: list[uuid.UUID]

    @property
    def numbers(self) -> dict[uuid.UUID, int]:
        """The last number seen in each family."""
        return _numbers(self.cursors)

    def may_be_told(self, row: StreamedEvent) -> bool:
        """Return whether an event is from the caller's time in the family: a forged cursor reveals nothing older."""
        return row.created_at >= self.joined_at[row.family_id]


@router.get("/sync", responses=problem_responses(401, 422))
async def sync(
    work: Work, caller: IsLoggedIn, since: Annotated[str | None, Query(max_length=2000)] = None
) -> EventsResponse:
    """Return the events after the cursor `since`; without it, no events and the current cursor.

    Store `cursor` for the next request. While `more` is true, request again at once. `reset` lists families restored
    from a backup: reload all of their data, and continue from `cursor`.
    """
    scope = await _scope(work, caller.guardian_id, read_cursor(since) if since else {})
    rows = await events_after(work, caller.guardian_id, scope.numbers, scope.rights, PAGE_EVENTS)
    return EventsResponse(
        events=[_response(row) for row in rows if scope.may_be_told(row)],
        cursor=write_cursor(_advance(scope.cursors, rows)),
        more=len(rows) == PAGE_EVENTS,
        reset=scope.reset,
    )


def cursor_at(shown: FamiliesShown) -> str:
    """Return the cursor of the moment at which these families were read."""
    return write_cursor({of.family.family_id: _position(of.family.event_seq, of.event_at) for of in shown.families})


async def read_last_event_id(
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=2000)] = None,
) -> dict[uuid.UUID, Position]:
    """Return the client's cursor; raises CursorInvalidError before the stream starts, while a problem can be sent."""
    return read_cursor(last_event_id) if last_event_id else {}


@router.get("/events", response_class=EventSourceResponse, responses=problem_responses(401, 422))
async def follow(
    request: Request,
    caller: IsLoggedIn,
    cursors: Annotated[dict[uuid.UUID, Position], Depends(read_last_event_id)],
) -> AsyncIterator[ServerSentEvent]:
    """Stream the events of the caller's families as server-sent events.

    The id of each event is a cursor: reconnect with the last one in `Last-Event-ID`. The first event is `ready`. A
    `reset` event lists families restored from a backup: reload all of their data. The stream ends with the session,
    after a day, and when newer streams exceed 4 of a session or 12 of a guardian. A comment line every 15 seconds shows
    that it is alive.
    """
    database: Database = request.app.state.database
    hub: EventHub = request.app.state.hub
    async with database.begin() as work:
        scope = await _scope(work, caller.guardian_id, cursors)
        cursors = scope.cursors
        stream_no = await open_stream(work, caller.session_id, caller.guardian_id)
    try:
        yield ServerSentEvent(event="ready", data={}, id=write_cursor(cursors))
        if scope.reset:
            yield _reset(scope)
        while True:
            followed = cursors.keys()
            # Registered before the query, so that no event between query and wait is missed.
            async with hub.waker(followed, caller.guardian_id, caller.session_id) as woken:
                # A family that is new to the stream has no waker yet: register again before waiting.
                while cursors.keys() == followed:
                    woken.clear()
                    batch = None if hub.is_closing else await _read_events(database, caller, stream_no, cursors)
                    if batch is None:
                        return
                    scope, rows = batch
                    cursors = scope.cursors
                    if scope.reset:
                        yield _reset(scope)
                    for row in rows:
                        cursors = _advance(cursors, [row])
                        if scope.may_be_told(row):
                            body = _response(row).model_dump(mode="json")
                            yield ServerSentEvent(event=row.kind, data=body, id=write_cursor(cursors))
                    if len(rows) < PAGE_EVENTS and cursors.keys() == followed:
                        with contextlib.suppress(TimeoutError):
                            async with asyncio.timeout(LOOK_EVERY_S):
                                await woken.wait()
    finally:
        hub.ended(stream_no)


async def _read_events(
    database: Database, caller: Caller, stream_no: int, cursors: dict[uuid.UUID, Position]
) -> tuple[_Scope, list[StreamedEvent]] | None:
    """Return new events, or None when the stream must end.

    It ends with the session, when newer streams exceed the limits, and while the database is unreachable.
    """
    try:
        async with database.begin() as work:
            families = await reach_of_stream(work, stream_no, caller.guardian_id, _numbers(cursors))
            if families is None:
                return None
            scope = await _scope_of(work, families, cursors)
            return scope, await events_after(work, caller.guardian_id, scope.numbers, scope.rights, PAGE_EVENTS)
    except Exception as error:
        # A restored backup sends nothing until its pending erasures are repeated.
        if is_database_unavailable(error) or isinstance(
            error, ErasuresPendingError | LedgerBrokenError | LedgerAwayError
        ):
            log.warning("stream_ended_without_database", error=type(error).__qualname__)
            return None
        raise


async def _scope(work: UnitOfWork, guardian_id: uuid.UUID, cursors: Mapping[uuid.UUID, Position]) -> _Scope:
    """Return the caller's current families; a family that is new to the cursor starts at its newest event."""
    return await _scope_of(work, await event_reach(work, guardian_id, _numbers(cursors)), cursors)


def _numbers(cursors: Mapping[uuid.UUID, Position]) -> dict[uuid.UUID, int]:
    return {family_id: position.seq for family_id, position in cursors.items()}


async def _scope_of(
    work: UnitOfWork, families: Sequence[EventReach], cursors: Mapping[uuid.UUID, Position]
) -> _Scope:  # fmt: skip
    kept: dict[uuid.UUID, Position] = {}
    rights: dict[uuid.UUID, frozenset[str]] = {}
    ahead = [family for family in families if _is_ahead(cursors.get(family.family_id), family)]
    now_at = await event_times(work, {family.family_id: family.newest_seq for family in ahead})
    for family in families:
        family_id = family.family_id
        if family in ahead:
            kept[family_id] = _position(family.newest_seq, now_at.get(family_id))
        else:
            kept[family_id] = cursors.get(family_id) or _position(family.newest_seq, family.made_at)
        if Part.MESSAGES in family.parts:
            hidden = set() if Part.LOCATION in family.parts else {Right.LOCATE.value}
            rights[family_id] = family.rights.words() - hidden
    joined_at = {family.family_id: family.joined_at for family in families}
    return _Scope(kept, rights, joined_at, [family.family_id for family in ahead])


def _is_ahead(position: Position | None, family: EventReach) -> bool:
    """Return whether a cursor refers to an event that this database does not hold under its number."""
    if position is None:
        return False
    if position.seq > family.newest_seq:
        return True
    return bool(position.tag) and family.made_at is not None and tag_of(family.made_at) != position.tag


def _position(seq: int, made_at: datetime | None) -> Position:
    return Position(seq, 0 if made_at is None else tag_of(made_at))


def _reset(scope: _Scope) -> ServerSentEvent:
    families = [str(family_id) for family_id in scope.reset]
    return ServerSentEvent(event="reset", data={"families": families}, id=write_cursor(scope.cursors))


def _advance(cursors: dict[uuid.UUID, Position], rows: list[StreamedEvent]) -> dict[uuid.UUID, Position]:
    return cursors | {row.family_id: _position(row.seq, row.created_at) for row in rows}


def _response(row: StreamedEvent) -> Event:
    return Event(
        family_id=row.family_id, seq=row.seq, kind=row.kind, child_id=row.child_id, ref_id=row.ref_id,
        detail=row.detail, created_at=row.created_at,
    )  # fmt: skip
