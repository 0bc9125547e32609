"""The loop of sweeps: each takes care of what is overdue of one kind, and a failing one stops no other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from services.core.conversation.audio_assets.chunks_from_watch import purge_one_unfinished
from services.core.conversation.messages.expiry import expire_one_message
from services.core.conversation.messages.retention import purge_one_old_voice
from services.core.conversation.messages.uploads import purge_one_upload
from services.core.devices.alerts.escalation import purge_old_alerts
from services.core.devices.alerts.silence import raise_one_silence_alert
from services.core.devices.commands.actions import expire_one_command, purge_old_commands
from services.core.devices.number_changes.actions import carry_out_one_number_change, purge_ended_number_changes
from services.core.devices.push.actions import purge_one_endpoint
from services.core.devices.traces.actions import purge_old_trace_lines
from services.core.devices.watch_settings.actions import repair_one_offset
from services.core.location.checkins.partitions import drop_one_month, make_one_month, purge_old_places
from services.core.location.checkins.sos_places import purge_unconsented_sos_places
from services.core.measurement.counting.actions import count_some
from services.core.measurement.counting.purging import purge_one_long_over, purge_one_unmeasured
from services.core.measurement.exports.actions import expire_one_file
from services.core.measurement.publishing.actions import publish_one_week
from services.core.office.break_glass.actions import notify_one_break_glass
from services.core.office.enrolment.unconsented import purge_one_unconsented
from services.core.office.programme_end.actions import notify_one_family, remind_one_family
from services.core.office.prompts.actions import judge_one_nudge, nudge_one
from services.core.office.recovery.completion import carry_out_one_recovery
from services.core.office.triage.queries import record_low_batteries
from services.core.pairing.actions import revoke_one_unconfirmed
from services.core.pairing.sweep import purge_one_code_batch
from services.core.people.accounts.expiry import purge_one_overdue
from services.core.people.accounts.streams import purge_old_streams
from services.core.platform.blobs.actions import sweep_one
from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.db.faults import is_database_unavailable
from services.core.platform.erasure_ledger import ErasureLedger
from services.core.platform.idempotency.actions import purge_one_fingerprint_batch
from services.core.platform.limits.expiry import purge_full_buckets
from services.core.platform.metrics.registry import counter
from services.core.platform.outbox.sms_outcomes import purge_old_sms_outcomes
from services.core.privacy.contests.decisions import carry_out_one_decision
from services.core.privacy.copies.actions import expire_one_export
from services.core.privacy.erasure.removal import remove_one_erased
from services.core.privacy.purging.actions import (
    purge_one_batch,
    purge_one_device_batch,
    purge_one_office_batch,
)
from services.core.privacy.purging.ended_programmes import erase_one_ended
from services.worker.pulse import Pulse

# The pause between two rounds.
PAUSE_S: Final = 30.0
# One step of a sweep is one short transaction, at most two with a deletion in the blob store between them.
STEP_DEADLINE_S: Final = 120.0
# A sweep that still finds work after this gives way to the next one and goes on in the next round.
ROUND_MAX_S: Final = 60.0

# One step: returns whether there was something to do.
Step = Callable[[], Awaitable[bool]]

log = structlog.get_logger()


@dataclass(frozen=True)
class Sweep:
    """A named sweep; its step runs again until it finds nothing to do."""

    name: str
    step: Step


# Each in a transaction of its own, in this order.
TRANSACTIONS: Final[tuple[Callable[[UnitOfWork], Awaitable[bool]], ...]] = (
    expire_one_message, revoke_one_unconfirmed, purge_one_overdue, purge_one_old_voice, purge_one_unfinished,
    purge_one_upload, remove_one_erased, purge_one_batch, expire_one_export, purge_full_buckets, purge_old_streams,
    carry_out_one_recovery, carry_out_one_decision, carry_out_one_number_change, purge_ended_number_changes,
    notify_one_break_glass, expire_one_command, raise_one_silence_alert, repair_one_offset,
    purge_old_trace_lines, purge_old_alerts, purge_one_endpoint, purge_old_commands,
    notify_one_family, remind_one_family,
    purge_one_unconsented,
    record_low_batteries, nudge_one, judge_one_nudge, purge_unconsented_sos_places,
    purge_one_office_batch, purge_one_device_batch, purge_one_code_batch, purge_one_fingerprint_batch,
    purge_old_sms_outcomes,
    # Usage: who is forgotten first is in nothing that is counted afterwards.
    purge_one_unmeasured, purge_one_long_over, count_some, publish_one_week, expire_one_file,
    # Last: they wait for a lock and give up when that lasts too long.
    make_one_month, drop_one_month, purge_old_places,
)  # fmt: skip

_FAILED = counter(
    "sweep_failures",
    "Sweeps that failed, by name.",
    sweep=[*(action.__name__ for action in TRANSACTIONS), erase_one_ended.__name__, "delete_blobs"],
)


def all_sweeps(database: Database, blobs: BlobStore, ledger: ErasureLedger) -> list[Sweep]:
    """Return every sweep of the product in the order of a round."""
    return [
        *(Sweep(action.__name__, _in_transaction(database, action)) for action in TRANSACTIONS),
        Sweep(erase_one_ended.__name__, lambda: erase_one_ended(database, ledger)),
        Sweep("delete_blobs", lambda: sweep_one(database, blobs)),
    ]


def _in_transaction(database: Database, action: Callable[[UnitOfWork], Awaitable[bool]]) -> Step:
    async def step() -> bool:
        async with database.begin() as work:
            return await action(work)

    return step


class SweepLoop:
    """Runs all sweeps, one after the other, again and again."""

    name = "sweeps"
    silence_max_s = 2 * STEP_DEADLINE_S

    def __init__(
        self, database: Database, sweeps: Sequence[Sweep], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._sweeps = sweeps
        self._clock = clock

    async def run(self, pulse: Pulse) -> None:
        """Sweep until cancelled; raises when the database is away."""
        while True:
            if await self.sweep_all(pulse):
                await asyncio.sleep(PAUSE_S)

    async def sweep_all(self, pulse: Pulse) -> bool:
        """Run every sweep once; return False when one of them still has work and is to go on without a pause.

        A sweep that fails is logged and named by the pulse, and the next one runs. Raises when the database is away.
        """
        is_finished = True
        for sweep in self._sweeps:
            pulse.beat()
            try:
                is_finished &= await self._exhaust(sweep, pulse)
            except Exception as error:
                if is_database_unavailable(error):
                    # Errors of the operating system look alike: only a database that does not answer stops the round.
                    await self._database.ping()
                failures = pulse.record_failure(sweep.name)
                _FAILED.count(sweep=sweep.name)
                log.exception("sweep_failed", sweep=sweep.name, failures=failures)
            else:
                pulse.record_success(sweep.name)
        return is_finished

    async def _exhaust(self, sweep: Sweep, pulse: Pulse) -> bool:
        """Run a sweep until it finds nothing to do, or its time of a round is over; return whether it is finished."""
        give_way_at_s = self._clock() + ROUND_MAX_S
        while True:
            async with asyncio.timeout(STEP_DEADLINE_S):
                if not await sweep.step():
                    return True
            pulse.beat()
            if self._clock() > give_way_at_s:
                return False
