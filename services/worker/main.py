"""``smartwatch worker``: everything that may take its time. Any number of workers share the work."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.devices.alerts.calling import WAKE_UP
from services.core.devices.alerts.escalation import is_step_due
from services.core.devices.push.rules import EndpointKind
from services.core.platform.audio.sandbox import AudioSandbox
from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database
from services.core.platform.erasure_ledger import ErasureLedger
from services.core.platform.log.health import HealthServer
from services.core.platform.metrics.page import MetricsPage, disks_of
from services.core.platform.opened_ledger import open_ledger
from services.core.platform.retrying import run_with_retries
from services.core.platform.settings import Settings
from services.core.privacy.erasure.replay import replay
from services.worker.dhis2 import Dhis2Client, Dhis2Loop, open_dhis2
from services.worker.escalation import EscalationLoop
from services.worker.exports import ExportLoop
from services.worker.push import push_loops
from services.worker.push_providers import PushProvider, providers_of
from services.worker.queues import QueueSampler
from services.worker.sms import sms_loops
from services.worker.sms_providers.opening import open_router
from services.worker.sms_providers.router import SmsSender
from services.worker.supervisor import Loop, Supervisor
from services.worker.sweeps import SweepLoop, all_sweeps
from services.worker.transcoding import NICENESS, TRANSCODERS, transcoding_loops
from services.worker.wake_ups import WakeUps

log = structlog.get_logger()


@dataclass(frozen=True)
class Outside:
    """The worker's connections beside the database and the blob store."""

    sms: SmsSender
    push: Mapping[EndpointKind, PushProvider]
    # None: no DHIS2 system is configured.
    dhis2: Dhis2Client | None = None


def all_loops(transcoder: Transcoder, ledger: ErasureLedger, outside: Outside) -> list[Loop]:
    """Return every loop of a worker."""
    database = transcoder.database
    wake_ups = WakeUps(database)
    return [
        wake_ups,
        EscalationLoop(database, wake_ups.subscribe(WAKE_UP, is_due=is_step_due)),
        *sms_loops(database, outside.sms, wake_ups),
        *push_loops(database, outside.push, wake_ups),
        *transcoding_loops(transcoder, wake_ups),
        ExportLoop(transcoder, wake_ups),
        *([] if outside.dhis2 is None else [Dhis2Loop(database, outside.dhis2, wake_ups)]),
        SweepLoop(database, all_sweeps(database, transcoder.blobs, ledger)),
    ]


async def replay_erasures(database: Database, ledger: ErasureLedger) -> None:
    """Repeat the erasures of the ledger, also one whose process was killed between ledger and commit."""

    async def run() -> None:
        if count := await replay(database, ledger):
            log.warning("erasures_repeated", count=count)

    def report(error: Exception, attempt: int) -> None:
        log.warning("erasures_wait", error=type(error).__qualname__, attempt=attempt)

    await run_with_retries(run, report)


async def run_loops(supervisor: Supervisor, database: Database, ledger: ErasureLedger) -> None:
    """Replay the ledger of erasures, then run every loop until cancelled; raises LoopEndedError."""
    await replay_erasures(database, ledger)
    await supervisor.run()


async def run_worker(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; raises LoopEndedError when a loop ends by itself."""
    async with _open(settings) as (transcoder, outside):
        ledger = open_ledger(settings)
        page = MetricsPage("worker", disks_of(settings))
        supervisor = Supervisor([*all_loops(transcoder, ledger, outside), QueueSampler(transcoder.database, page)])
        page.gauge("loops_hung", "Loops that have not moved for too long.", lambda: len(supervisor.hung))
        page.gauge("work_failing", "Loops and sweeps that keep failing.", lambda: len(supervisor.failing))
        health = HealthServer.of(
            settings,
            settings.worker_health_port,
            {
                "postgres": transcoder.database.ping,
                "blobs": transcoder.blobs.ping,
                "sweeps_and_loops": supervisor.failing_work,
                "hung_loops": supervisor.hung_loops,
            },
            page.render,
            # A loop that waits for the database or the store does not hang by a fault of this process.
            own_faults={"hung_loops": frozenset({"postgres", "blobs"})},
        )
        await health.start()
        try:
            await _until_signal(run_loops(supervisor, transcoder.database, ledger))
        finally:
            await health.stop()
    log.info("worker_stopped")


@contextlib.asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[tuple[Transcoder, Outside]]:
    database = Database.of(settings)
    try:
        async with (
            AudioSandbox(processes=TRANSCODERS, niceness=NICENESS) as sandbox,
            providers_of(settings, database) as push,
            open_router(settings, database.vault, database.clock) as sms,
            open_dhis2(settings) as dhis2,
        ):
            yield Transcoder(database, BlobStore.of(settings), sandbox), Outside(sms, push, dhis2)
    finally:
        await database.close()


async def _until_signal(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` until SIGTERM or SIGINT; raises what it raises."""
    is_to_end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, is_to_end.set)
    running = asyncio.create_task(work)
    ending = asyncio.create_task(is_to_end.wait())
    try:
        await asyncio.wait({running, ending}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
    finally:
        for task in (running, ending):
            task.cancel()
        await asyncio.gather(running, ending, return_exceptions=True)
