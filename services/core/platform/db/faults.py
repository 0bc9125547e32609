"""Which failures are temporary failures of the database, and which are faults of the program."""

from __future__ import annotations

import asyncpg
from sqlalchemy.exc import DBAPIError, NoResultFound
from sqlalchemy.exc import TimeoutError as NoConnectionFreeError

from services.core.platform.db.notifications import DatabaseLostError

# serialization_failure, deadlock_detected, unique_violation (two repeats at once), foreign_key_violation (what it was
# about has just been erased): a retry succeeds.
_COLLISIONS = frozenset({"40001", "40P01", "23505", "23503"})
# Connection trouble, out of resources, shutting down or starting up, system errors: wait for the database to come back.
_AWAY_CLASSES = ("08", "53", "57", "58")


def sqlstate_of(error: BaseException) -> str | None:
    """Return the SQLSTATE of a failure (five characters), or None when it is not an error of Postgres."""
    inner = error.orig if isinstance(error, DBAPIError) else error
    return getattr(inner, "sqlstate", None)


def is_database_unavailable(error: BaseException) -> bool:
    """Return whether the database cannot be reached or cannot work at the moment."""
    # NoConnectionFreeError: so many ask at once that none of our connections came free in time.
    if isinstance(error, DatabaseLostError | NoConnectionFreeError | OSError | asyncpg.InterfaceError):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    inner = error.driver_exception if isinstance(error, DBAPIError) else error
    if isinstance(inner, asyncpg.InternalClientError):
        # The server's last words on this connection have been read, its end not yet.
        return str(inner).startswith("cannot switch to state")
    state = sqlstate_of(error)
    if state == "55000":
        # A database that is closed to connections, as during a restore; the same state has other causes as well.
        return "accepting connections" in str(error)
    # 25P03, idle_in_transaction_session_timeout, and 25P04, transaction_timeout: this process stood still, or waited
    # for another one that did, and lost its connection.
    return state is not None and (state.startswith(_AWAY_CLASSES) or state in {"25P03", "25P04"})


def is_collision(error: BaseException) -> bool:
    """Return whether two transactions collided, so that a retry of the same one will succeed."""
    # A row that existed a moment ago was loaded by its key: it was deleted in between.
    return isinstance(error, NoResultFound) or sqlstate_of(error) in _COLLISIONS
