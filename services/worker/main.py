"""``smartwatch worker``: what may take its time. Any number can run; each piece of work is claimed by one."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

import structlog
from tenacity import RetryCallState, retry, wait_random_exponential

from services.core.conversation.audio_assets.chunks_from_watch import purge_one_unfinished
from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.conversation.messages.expiry import expire_one_message
from services.core.conversation.messages.retention import purge_one_old_voice
from services.core.conversation.messages.transcoding import transcode_one
from services.core.conversation.messages.uploads import purge_one_upload
from services.core.devices.alerts.escalation import purge_old_alerts
from services.core.devices.alerts.silence import raise_one_silence_alert
from services.core.devices.commands.actions import expire_one_command, purge_old_commands
from services.core.devices.push.actions import purge_one_endpoint
from services.core.devices.watch_settings.actions import repair_one_offset
from services.core.location.checkins.partitions import drop_one_month, make_one_month, purge_old_places
from services.core.location.checkins.sos_places import purge_unconsented_sos_places
from services.core.measurement.exports.rendering import render_one_file
from services.core.office.break_glass.actions import tell_one_break_glass
from services.core.office.enrolment.unconsented import forget_one_unconsented
from services.core.office.programme_end.actions import tell_one_family
from services.core.office.prompts.actions import judge_one_nudge, nudge_one
from services.core.office.recovery.completion import carry_out_one_recovery
from services.core.office.triage.queries import note_low_batteries
from services.core.pairing.actions import revoke_one_unconfirmed
from services.core.people.accounts.expiry import forget_one_overdue
from services.core.people.accounts.streams import forget_old_streams
from services.core.platform.audio.sandbox import AudioSandbox
from services.core.platform.blobs.actions import sweep_one
from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.erasure_ledger import ErasureLedger
from services.core.platform.limits.expiry import forget_full_buckets
from services.core.platform.log.health import HealthServer
from services.core.platform.outbox import actions as outbox
from services.core.platform.settings import Settings
from services.core.privacy.copies.actions import expire_one_export
from services.core.privacy.copies.archive import build_one_export
from services.core.privacy.erasure.removal import remove_one_erased
from services.core.privacy.erasure.replay import replay
from services.core.privacy.purging.actions import (
    purge_one_batch,
    purge_one_device_batch,
    purge_one_office_batch,
)
from services.core.privacy.purging.ended_programmes import erase_one_ended
from services.worker.escalation import escalate_forever
from services.worker.push import PushSender, providers_of
from services.worker.sms import SmsProvider, provider_of
from services.worker.usage import USAGE_SWEEPS

KINDS = ("sms", outbox.DECOY)
POLL_S = 2.0
# Overdue things are looked for this often; each look takes what there is, one transaction each.
SWEEP_S = 30.0
SWEEPS: tuple[Callable[[UnitOfWork], Awaitable[bool]], ...] = (
    expire_one_message, revoke_one_unconfirmed, forget_one_overdue, purge_one_old_voice, purge_one_unfinished,
    purge_one_upload, remove_one_erased, purge_one_batch, expire_one_export, forget_full_buckets, forget_old_streams,
    carry_out_one_recovery, tell_one_break_glass, expire_one_command, raise_one_silence_alert, repair_one_offset,
    purge_old_alerts, purge_one_endpoint, purge_old_commands, tell_one_family, forget_one_unconsented,
    note_low_batteries, nudge_one, judge_one_nudge, purge_unconsented_sos_places,
    purge_one_office_batch, purge_one_device_batch, *USAGE_SWEEPS,
    # Last: they wait for a lock, and give up when it takes too long.
    make_one_month, drop_one_month, purge_old_places,
)  # fmt: skip
# Clips worked on at a time: each takes a processor for about a second.
TRANSCODERS = 2

log = structlog.get_logger()


def _report(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("worker_tries_again", error=type(error).__qualname__, attempt=state.attempt_number)


# Waits grow to 10 s with jitter; whatever happens to the database, the worker stays and carries on.
_keep_trying = retry(wait=wait_random_exponential(multiplier=0.2, max=10), before_sleep=_report)


class Worker:
    """Sends text messages, makes clips ready, and takes care of what is overdue."""

    def __init__(self, transcoder: Transcoder, provider: SmsProvider, ledger: ErasureLedger) -> None:
        self._ledger = ledger
        self._transcoder = transcoder
        self._database = transcoder.database
        self._provider = provider

    async def run(self) -> None:
        """Run until cancelled."""
        await self._replay()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send_forever())
            tasks.create_task(self._sweep_forever())
            tasks.create_task(self._make_exports_forever())
            tasks.create_task(escalate_forever(self._database))
            for _ in range(TRANSCODERS):
                tasks.create_task(self._make_clips_forever())

    @_keep_trying
    async def _replay(self) -> None:
        # An erasure whose process was killed between ledger and commit, too, is taken up here.
        if repeated := await replay(self._database, self._ledger):
            log.warning("erasures_repeated", count=repeated)

    @_keep_trying
    async def _send_forever(self) -> None:
        async with self._database.listen(outbox.CHANNEL) as notifications:
            while True:
                while await self.send_one():
                    pass
                await notifications.next(POLL_S)
                notifications.drain()

    async def send_one(self) -> bool:
        """Send the oldest due message; return whether there was one. One that cannot be sent comes again later."""
        async with self._database.begin() as work:
            row = await outbox.claim(work, KINDS)
            if row is None:
                return False
            if row.kind == outbox.DECOY:
                await outbox.done(work, row)
                return True
            try:
                await self._provider.send(*outbox.unseal_sms(work, row))
            except Exception:
                # The provider's own words may quote the number: only the kind of failure is logged.
                log.exception("sms_not_sent", outbox_id=row.outbox_id, attempt=row.attempts + 1)
                outbox.defer(work, row)
            else:
                await outbox.done(work, row)
        return True

    @_keep_trying
    async def _make_clips_forever(self) -> None:
        async with self._database.listen(outbox.CHANNEL) as notifications:
            while True:
                while await self.make_one_clip():
                    pass
                await notifications.next(POLL_S)
                notifications.drain()

    async def make_one_clip(self) -> bool:
        """Transcode the oldest due voice message; return whether one was due."""
        return await transcode_one(self._transcoder)

    @_keep_trying
    async def _make_exports_forever(self) -> None:
        # One at a time and by itself: nothing else waits for an export.
        async with self._database.listen(outbox.CHANNEL) as notifications:
            while True:
                while await build_one_export(self._transcoder) or await render_one_file(self._database):
                    pass
                await notifications.next(POLL_S)
                notifications.drain()

    @_keep_trying
    async def _sweep_forever(self) -> None:
        while True:
            await self.sweep()
            await asyncio.sleep(SWEEP_S)

    async def sweep(self) -> None:
        """Take care of everything that is overdue now."""
        for one in SWEEPS:
            found = True
            while found:
                async with self._database.begin() as work:
                    found = await one(work)
        while await erase_one_ended(self._database, self._ledger):
            pass
        while await sweep_one(self._database, self._transcoder.blobs):
            pass

    async def blobs_well(self) -> str | None:
        """Raise unless clips can be read and stored."""
        await self._transcoder.blobs.ping()
        return None

    async def database_well(self) -> str | None:
        """Raise unless the database answers."""
        await self._database.ping()
        return None


async def run_worker(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    database = Database.of(settings)
    async with AudioSandbox(processes=TRANSCODERS) as sandbox:
        worker = Worker(
            Transcoder(database, BlobStore.of(settings), sandbox), provider_of(settings),
            ErasureLedger(settings.erasure_ledger),
        )  # fmt: skip
        health = HealthServer(
            settings.worker_health_port, {"postgres": worker.database_well, "blobs": worker.blobs_well},
            host=settings.health_host,
        )  # fmt: skip
        await health.start()
        async with providers_of(settings, database) as providers:
            running = [asyncio.create_task(part.run()) for part in (worker, PushSender(database, providers))]
            await ended.wait()
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        await health.stop()
    await database.close()
    log.info("worker_stopped")
