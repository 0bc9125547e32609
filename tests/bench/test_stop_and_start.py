"""A running product with watches and phones stops within 5 s and serves them again within 15 s."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.device_sim.parent.parent import SimParent
from services.device_sim.watch.timings import Timings
from services.device_sim.watch.watch import SimWatch
from services.devstack.installation import CHECKOUT, Installation
from tests.bench.ratios import Ratio, report
from tests.e2e.conftest import pair
from tests.support.backups import open_folder
from tests.support.world import Home, make_home

FAMILIES = 5
STOPS_WITHIN_MS, STOPS_WITHIN_IMPORTS = 5_000, 4.0
SERVES_WITHIN_MS, SERVES_WITHIN_IMPORTS = 15_000, 12.0


def import_ms() -> float:
    """Return how long this machine takes now to load one process."""
    started_at_s = time.monotonic()
    subprocess.run([sys.executable, "-c", "import services.api.app"], cwd=CHECKOUT, check=True)
    return (time.monotonic() - started_at_s) * 1000


async def make_homes(installation: Installation) -> list[Home]:
    database = Database(installation.database_url, vault=Vault(installation.settings["master_key"]))
    try:
        homes = [await make_home(database) for _ in range(FAMILIES)]
        async with database.begin() as work:
            work.notify("broker_users")
        return homes
    finally:
        await database.close()


async def join(stack: contextlib.AsyncExitStack, installation: Installation, folder: Path, home: Home) -> SimWatch:
    """Log a phone in that listens to events, and pair a watch that stays connected."""
    parent = await stack.enter_async_context(SimParent(installation.api_url, folder / home.phone))
    await parent.log_in_by_sms_file(home.phone, Path(installation.settings["sms_file"]), timeout_s=120)
    watch = SimWatch(
        folder / home.serial, "127.0.0.1", installation.ports["mosquitto_tls_port"], str(installation.tls_ca_file),
        serial=home.serial, secret=home.secret, timings=Timings.quick(),
    )  # fmt: skip
    await stack.enter_async_context(watch)
    await pair(watch, parent, str(home.child_id))
    listening = asyncio.create_task(listen(parent))
    stack.callback(listening.cancel)
    return watch


async def listen(parent: SimParent) -> None:
    async for _ in parent.follow():
        pass


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_it_stops_within_five_seconds_and_serves_again_within_fifteen() -> None:
    with open_folder() as var:
        (var / "backup").mkdir()
        overrides = {"backup_dir": str(var / "backup")}
        installation = Installation.acquire(var, "default", overrides=overrides, announce=print)
        await asyncio.to_thread(installation.start)
        async with contextlib.AsyncExitStack() as stack:
            homes = await make_homes(installation)
            watches = [await join(stack, installation, var, home) for home in homes]
            before_ms = await asyncio.to_thread(import_ms)
            stopped_ms = await timed_ms(installation.stop)
            again = Installation.acquire(var, "default", overrides=overrides, announce=print)
            served_ms = await timed_ms(again.start)
            baseline_ms = max(before_ms, await asyncio.to_thread(import_ms))
            for watch in watches:
                await watch.wait_online(timeout_s=120)
        await asyncio.to_thread(again.stop)
    loading = "loading of one process"
    stopped = report(Ratio("stop with families connected", loading, stopped_ms, baseline_ms))
    served = report(Ratio("start until everything is ready", loading, served_ms, baseline_ms))
    assert stopped_ms < STOPS_WITHIN_MS or stopped.times < STOPS_WITHIN_IMPORTS
    assert served_ms < SERVES_WITHIN_MS or served.times < SERVES_WITHIN_IMPORTS


async def timed_ms(step: Callable[[], None]) -> float:
    started_at_s = time.monotonic()
    await asyncio.to_thread(step)
    return (time.monotonic() - started_at_s) * 1000
