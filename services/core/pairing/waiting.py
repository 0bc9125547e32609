"""Reads in one statement whether anything is due to a watch; for most watches that say hello again nothing is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from services.core.conversation.messages.announcing import UNTOLD
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.prepared import any_array
from services.core.platform.outbox.actions import Greeting


@dataclass(frozen=True)
class Waiting:
    """The versions of a watch's lists, and of which kinds something may have to be sent.

    ``greeting``: its hello has not been answered with the time yet.
    """

    contacts_version: int
    config_version: int
    calls: bool
    states: bool
    items: bool
    commands: bool
    greeting: bool


# Whether calls, states, items and commands may wait for the identity `watch_identity`. Each condition holds for every
# row that the claim of its kind would find, and for some others.
_CALLS: Final = """EXISTS (SELECT FROM alert WHERE alert.username = watch_identity.username AND ref IS NOT NULL
  AND CASE WHEN hello -> 'alert_states' = 'true' THEN alert.state IS NOT NULL ELSE seen_by IS NOT NULL END
  AND (seen_told_at IS NULL OR seen_told_at < coalesce(last_hello_at, issued_at)))"""
_STATES: Final = f"EXISTS (SELECT FROM {UNTOLD})"
_ITEMS: Final = """EXISTS (SELECT FROM inbox_item WHERE inbox_item.child_id = watch_identity.child_id
  AND inbox_item.state = 'waiting')"""
_COMMANDS: Final = """EXISTS (SELECT FROM watch_command WHERE watch_command.username = watch_identity.username
  AND watch_command.state IN ('waiting', 'sent'))"""
# The S608 exemptions are safe: every part is a constant of this file.
_WAITING: Final = f"""
SELECT watch_identity.username, contact_list.version, watch_settings.version,
 {_CALLS}, {_STATES}, {_ITEMS}, {_COMMANDS},
 EXISTS (SELECT FROM outbox WHERE kind = 'watch' AND target = watch_identity.username AND payload ? 'greet')
FROM watch_identity JOIN watch_settings USING (child_id) JOIN contact_list USING (child_id)
WHERE watch_identity.username = {any_array(1, "text")}
"""  # noqa: S608
# One statement sees a row and its cause, or neither: whatever becomes due later has a row of its own.
_DROP_IDLE: Final = f"""
DELETE FROM outbox USING unnest($1::bigint[], $2::int[]) AS claim(outbox_id, attempts)
WHERE outbox.outbox_id = claim.outbox_id AND outbox.attempts = claim.attempts AND outbox.payload - 'greet' = '{{}}'
 AND NOT EXISTS (
  SELECT FROM watch_identity JOIN watch_settings USING (child_id) JOIN contact_list USING (child_id)
  WHERE watch_identity.username = outbox.target AND watch_identity.ended_at IS NULL
   AND (contact_list.version <> contacts_acked_version OR watch_settings.version <> config_acked_version
    OR {_CALLS} OR {_STATES} OR {_ITEMS} OR {_COMMANDS}))
RETURNING outbox.outbox_id
"""  # noqa: S608


async def what_waits(work: UnitOfWork, usernames: Collection[str]) -> dict[str, Waiting]:
    """Return by user name what may wait for these watches."""
    return {username: Waiting(*waiting) for username, *waiting in await work.fetch(_WAITING, list(usernames))}


async def drop_idle(work: UnitOfWork, greetings: Sequence[Greeting]) -> list[Greeting]:
    """Delete the rows of greeted watches for which nothing else waits; return the others.

    Most watches that come back hold their lists and have no mail: each would cost a claim of its own.
    """
    dropped = await work.fetch(
        _DROP_IDLE, [row.outbox_id for row in greetings], [row.attempts for row in greetings]
    )  # fmt: skip
    ids = {outbox_id for (outbox_id,) in dropped}
    return [row for row in greetings if row.outbox_id not in ids]
