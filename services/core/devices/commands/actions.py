"""Commands to a child's watch: queued, sent, answered, and never carried out late."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, tuple_
from sqlmodel import col, select

from services.core.devices.commands.rules import (
    ANSWER_GRACE,
    ANSWERS,
    OPEN_STATES,
    OPPOSITE,
    CommandKind,
    CommandState,
    is_to_be_sent,
    may_move,
    ttl_s,
    wait_before_next,
)
from services.core.devices.watches.errors import CommandTooOftenError, NoWatchError
from services.core.devices.watches.queries import current_identity, standing_identity
from services.core.devices.watches.tables import WatchCommand, WatchIdentity
from services.core.people.households.errors import NotFoundError
from services.core.platform.audit.actions import guardian_actor, record_audit
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.facts.actions import record_fact
from services.core.platform.outbox.actions import notify_watch

PAGE_MAX_COMMANDS = 100
_BATCH_ROWS = 500
# The word of the watch protocol for a command that its sender cancelled.
_CANCELLED = "cancelled"


@dataclass(frozen=True)
class Asker:
    """The guardian who requests a command, and the guardian's contact id on the watch."""

    guardian_id: uuid.UUID
    wire_id: str | None


async def queue_command(work: UnitOfWork, child_id: uuid.UUID, kind: CommandKind, asker: Asker) -> WatchCommand:
    """Queue a command for the child's watch and return it; the caller has checked that the guardian may.

    While a command of this kind by the same guardian is open, a repeat returns that command. Raises NoWatchError,
    CommandTooOftenError.
    """
    identity = await _locked_identity(work, child_id)
    if identity is None:
        raise NoWatchError
    recent = (
        await work.session.exec(
            select(WatchCommand)
            .where(
                col(WatchCommand.child_id) == child_id,
                col(WatchCommand.kind) == kind.value,
                col(WatchCommand.asked_at) > work.now - timedelta(hours=1),
            )
            .order_by(col(WatchCommand.asked_at))
        )
    ).all()
    for command in recent:
        is_open = (
            command.state in OPEN_STATES and command.expires_at > work.now and command.username == identity.username
        )
        if is_open and command.asked_by == asker.guardian_id:
            return command
    wait = wait_before_next(kind, [command.asked_at for command in recent], work.now)
    actor = guardian_actor(asker.guardian_id)
    if wait > timedelta(0):
        record_audit(
            work, actor, f"command.{kind.value}", family_id=identity.family_id, subject_id=child_id,
            refused=CommandTooOftenError.code,
        )  # fmt: skip
        work.keep_refusal()
        raise CommandTooOftenError(int(wait.total_seconds()) + 1)
    record_audit(work, actor, f"command.{kind.value}", family_id=identity.family_id, subject_id=child_id)
    if kind in OPPOSITE:
        await _cancel(work, identity, OPPOSITE[kind])
    return await _add(work, identity, kind, asker)


async def _cancel(work: UnitOfWork, identity: WatchIdentity, kind: CommandKind) -> None:
    """Cancel the open commands of a kind that the next command reverses."""
    result = await work.session.exec(
        select(WatchCommand)
        .where(
            col(WatchCommand.username) == identity.username,
            col(WatchCommand.kind) == kind.value,
            col(WatchCommand.state).in_([state.value for state in OPEN_STATES]),
        )
        .order_by(col(WatchCommand.command_id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    for command in result.all():
        await _move(work, command, CommandState.EXPIRED, _CANCELLED)


async def _locked_identity(work: UnitOfWork, child_id: uuid.UUID) -> WatchIdentity | None:
    """Return the standing identity of the child's watch, locked, so that concurrent commands are counted one by one."""
    identity = await current_identity(work, child_id)
    return None if identity is None else await standing_identity(work, identity.username, lock=True)


async def _add(work: UnitOfWork, identity: WatchIdentity, kind: CommandKind, asker: Asker) -> WatchCommand:
    seconds = ttl_s(kind)
    command = WatchCommand(
        child_id=identity.child_id, family_id=identity.family_id, username=identity.username, ref=new_ref(12),
        kind=kind.value, asked_by=asker.guardian_id, by_wire_id=asker.wire_id,
        ttl_s=seconds, asked_at=work.now, expires_at=work.now + timedelta(seconds=seconds), changed_at=work.now,
    )  # fmt: skip
    work.add(command)
    await work.flush()
    await notify_watch(work, identity.username)
    record_fact(
        work, f"command_{kind.value}", watch_id=identity.watch_id, child_id=identity.child_id,
        family_id=identity.family_id, ref_id=command.command_id,
    )  # fmt: skip
    await _notify(work, command)
    return command


async def claim_commands(work: UnitOfWork, identity: WatchIdentity) -> list[WatchCommand]:
    """Return the commands to send to this watch now, the oldest first, and record that they were sent.

    Expired commands are never returned.
    """
    result = await work.session.exec(
        select(WatchCommand)
        .where(
            col(WatchCommand.username) == identity.username,
            col(WatchCommand.state).in_([CommandState.WAITING.value, CommandState.SENT.value]),
            col(WatchCommand.expires_at) > work.now,
        )
        .order_by(col(WatchCommand.asked_at), col(WatchCommand.ref))
        .with_for_update(key_share=True)
    )
    sent = []
    for command in result.all():
        if is_to_be_sent(CommandState(command.state), command.sent_at, identity.last_hello_at):
            await _move(work, command, CommandState.SENT, None)
            command.sent_at = work.now
            sent.append(command)
    return sent


async def hold_commands(work: UnitOfWork, named: Sequence[tuple[str, str]]) -> None:
    """Lock the commands of these user names and refs before their families, in the order that their expiry uses."""
    if named:
        await work.session.exec(
            select(WatchCommand.command_id)
            .where(tuple_(col(WatchCommand.username), col(WatchCommand.ref)).in_(named))
            .order_by(col(WatchCommand.command_id))
            .with_for_update(key_share=True)
        )


async def answer_command(
    work: UnitOfWork, identity: WatchIdentity, ref: str, state: str, detail: str | None = None
) -> bool:
    """Record a watch's answer to a command: ``taken``, ``done``, ``failed`` or ``expired``. The identity is locked.

    Return whether the state of a command of this watch changed: False for an unknown command, a repeat, and a word of a
    later version.
    """
    answered = ANSWERS.get(state)
    result = await work.session.exec(
        select(WatchCommand)
        .where(col(WatchCommand.username) == identity.username, col(WatchCommand.ref) == ref)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    command = result.first()
    if command is None or answered is None or not may_move(CommandState(command.state), answered):
        return False
    await _move(work, command, answered, detail if answered is CommandState.FAILED else None)
    return True


async def expire_one_command(work: UnitOfWork) -> bool:
    """Expire one command that was not answered in time; return whether there was one. A repeat is safe."""
    result = await work.session.exec(
        select(WatchCommand)
        .where(
            col(WatchCommand.state).in_([state.value for state in OPEN_STATES]),
            col(WatchCommand.expires_at) <= work.now - ANSWER_GRACE,
        )
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True)
    )
    command = result.first()
    if command is None:
        return False
    await _move(work, command, CommandState.EXPIRED, None)
    return True


async def purge_old_commands(work: UnitOfWork) -> bool:
    """Delete a batch of commands beyond the retention of alerts; return whether there were any. A repeat is safe."""
    old = (
        select(WatchCommand.command_id)
        .where(col(WatchCommand.expires_at) <= work.now - work.retention.alerts)
        .limit(_BATCH_ROWS)
    )
    gone = await work.run(
        delete(WatchCommand).where(col(WatchCommand.command_id).in_(old)).returning(col(WatchCommand.command_id))
    )
    return bool(gone.all())


async def commands_of(
    work: UnitOfWork, child_id: uuid.UUID, *, kinds: list[str], limit: int = PAGE_MAX_COMMANDS
) -> list[WatchCommand]:
    """Return the commands of these kinds to the child's watches, the newest first."""
    result = await work.session.exec(
        select(WatchCommand)
        .where(col(WatchCommand.child_id) == child_id, col(WatchCommand.kind).in_(kinds))
        .order_by(col(WatchCommand.asked_at).desc(), col(WatchCommand.command_id))
        .limit(limit)
    )
    return list(result)


async def command_by_id(work: UnitOfWork, child_id: uuid.UUID, command_id: uuid.UUID) -> WatchCommand:
    """Return a command of the child. Raises NotFoundError."""
    command = await work.session.get(WatchCommand, command_id)
    if command is None or command.child_id != child_id:
        raise NotFoundError
    return command


async def _move(work: UnitOfWork, command: WatchCommand, state: CommandState, detail: str | None) -> None:
    if command.state == state.value:
        return
    command.state = state.value
    command.detail = detail
    command.changed_at = work.now
    work.add(command)
    await work.flush()
    await _notify(work, command)


async def _notify(work: UnitOfWork, command: WatchCommand) -> None:
    # Every guardian with the right to message sees that the watch was located, and by whom.
    await record_event(
        work, command.family_id, "command.changed", child_id=command.child_id, ref_id=command.command_id,
        needs_right="message", detail={"kind": command.kind, "state": command.state},
    )  # fmt: skip
