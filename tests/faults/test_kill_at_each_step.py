"""Bridge or Postgres is killed at each step between a child's voice and its receipt: it is there once, as it was said.

The steps: its sound is stored and its message is not; its message is committed and nothing was said to the broker; the
broker has the PUBACK and the watch has no receipt.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import itertools
import signal
import statistics
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.core.people.households.child_key import data_key
from services.core.people.households.tables import Child
from services.core.platform.blobs.store import BlobStore
from services.core.platform.crypto.random_ids import new_ref
from services.devstack.postgres import LocalPostgres
from tests.integration.mqtt_bridge.conftest import stand
from tests.support.bridge_process import bridge_process
from tests.support.networks import Cable
from tests.support.sounds import encoded
from tests.support.watch import HandWatch, Stand
from tests.support.world import Home

__all__ = ["stand"]

DEADLINE_S = 120.0
CLIP: Final = encoded("amr-nb", 2.0)
END: Final = {
    "to": "family", "codec": "amr-nb", "bytes": len(CLIP), "chunks": 1, "sha256": hashlib.sha256(CLIP).hexdigest(),
    "duration_ms": 2000,
}  # fmt: skip
# Bytes to the broker after which the way is cut: before the PUBACK, and between the PUBACK (4 bytes) and the receipt.
CUT_AFTER_BYTES: Final = {"after commit before publish": 1, "after publish before receipt": 5}
# With the twenty of test_twenty_kills.py fifty in all.
KILLS_OF_POSTGRES: Final = 10
STEPS: Final = ("after blob before row", *CUT_AFTER_BYTES)


@contextlib.asynccontextmanager
async def _child_locked(stand: Stand, home: Home) -> AsyncIterator[None]:
    """Hold the child's row, which every message takes last, for the block."""
    async with stand.database.begin() as work:
        await work.run(text("SELECT 1 FROM child WHERE child_id = :id FOR NO KEY UPDATE"), {"id": home.child_id})
        yield


async def _count(stand: Stand, question: str, **values: object) -> int:
    async with stand.database.begin() as work:
        return int((await work.run(text(question), values)).scalar_one())


async def _until(stand: Stand, question: str, **values: object) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not await _count(stand, question, **values):  # noqa: ASYNC110 - Postgres has no event for it
            await asyncio.sleep(0.02)


async def _kill_at(
    step: str, stand: Stand, home: Home, kill: Callable[[], None], cable: Cable, say: asyncio.Event
) -> None:
    """Let the end of the clip be said, and kill the victim once the bridge has reached the step."""
    if step == "after blob before row":
        # The lock does not outlive Postgres.
        with contextlib.suppress(DBAPIError):
            async with _child_locked(stand, home):
                say.set()
                await _until(stand, "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'")
                kill()
        return
    cable.cut_after(CUT_AFTER_BYTES[step])
    say.set()
    async with asyncio.timeout(DEADLINE_S):
        await cable.is_cut.wait()
    kill()


async def _answer(watch: HandWatch, ref: str, message: dict[str, object]) -> str:
    """Repeat a message as a watch without a receipt does, until it is answered; return the code."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            with contextlib.suppress(TimeoutError):
                answer = await watch.hears("receipt", within_s=1)
                if answer.get("ref") == ref and answer["code"] != "retry":
                    return str(answer["code"])
            await watch.say(f"voice/{ref}/end", message)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("times", [1, pytest.param(17, marks=pytest.mark.long)])
@pytest.mark.parametrize("step", STEPS)
async def test_a_bridge_killed_at_any_step_loses_and_doubles_nothing(
    stand: Stand, tmp_path: Path, step: str, times: int
) -> None:
    home, worn = await stand.home()
    lines: list[str] = []
    took: list[float] = []
    numbers = itertools.count()
    async with stand.watch(worn.username, worn.password) as watch, Cable(stand.settings.mqtt_backend_port) as cable:
        for _ in range(times):
            cable.mend()
            first_log, second_log = (tmp_path / f"bridge-{next(numbers)}.log" for _ in range(2))
            async with (
                bridge_process(stand, first_log, reads=True, backend_port=cable.port) as first,
                bridge_process(stand, second_log, reads=False),
            ):
                ref = await _half_said(stand, watch)
                say = asyncio.Event()
                kill = functools.partial(first.signal, signal.SIGKILL)
                killing = asyncio.create_task(_kill_at(step, stand, home, kill, cable, say))
                await say.wait()
                await watch.say(f"voice/{ref}/end", END)
                await killing
                killed_at = time.monotonic()
                assert await _answer(watch, ref, END) in {"stored", "duplicate"}
                took.append(time.monotonic() - killed_at)
                lines.append(ref)
    _print_figures("bridge", step, took)
    assert await _stored(stand, home) == [(ref, CLIP) for ref in lines]


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("step", STEPS)
async def test_a_database_killed_at_any_step_loses_and_doubles_nothing(
    stand: Stand, postgres: LocalPostgres, tmp_path: Path, step: str
) -> None:
    home, worn = await stand.home()
    lines: list[str] = []
    took: list[float] = []
    async with (
        stand.watch(worn.username, worn.password) as watch,
        Cable(stand.settings.mqtt_backend_port) as cable,
        bridge_process(stand, tmp_path / "bridge.log", reads=True, backend_port=cable.port),
    ):
        for _ in range(KILLS_OF_POSTGRES):
            ref = await _half_said(stand, watch)
            say = asyncio.Event()
            killing = asyncio.create_task(_kill_at(step, stand, home, postgres.kill, cable, say))
            await say.wait()
            await watch.say(f"voice/{ref}/end", END)
            await killing
            killed_at = time.monotonic()
            cable.mend()
            await asyncio.to_thread(postgres.start)
            assert await _answer(watch, ref, END) in {"stored", "duplicate"}
            took.append(time.monotonic() - killed_at)
            lines.append(ref)
            # The pool of this process learns of the end of each connection by using it.
            async with asyncio.timeout(DEADLINE_S):
                while True:
                    with contextlib.suppress(DBAPIError, OSError):
                        await _count(stand, "SELECT 1")
                        break
    _print_figures("Postgres", step, took)
    assert await _stored(stand, home) == [(ref, CLIP) for ref in lines]


async def _half_said(stand: Stand, watch: HandWatch) -> str:
    """Say all of a clip but its end; return its id once that is stored."""
    ref = new_ref()
    await watch.say(f"voice/{ref}/0", CLIP)
    await _until(stand, "SELECT count(*) FROM clip_chunk WHERE ref = :ref", ref=ref)
    return ref


def _print_figures(victim: str, step: str, took: Sequence[float]) -> None:
    print(  # noqa: T201 - the figures of the run
        f"{victim} killed {step}, {len(took)} times: answered after {statistics.median(took):.1f} s (median),"
        f" {max(took):.1f} s (max)"
    )


async def _stored(stand: Stand, home: Home) -> list[tuple[str, bytes]]:
    """Return every message of the child in the server's order: the watch's own id, and the sound that is kept."""
    async with stand.database.begin() as work:
        rows = await work.run(
            text(
                "SELECT message.ref, clip.blob_id FROM message JOIN clip USING (clip_id)"
                " WHERE message.child_id = :id ORDER BY message.seq"
            ),
            {"id": home.child_id},
        )
        rows_left = [(str(row["ref"]), row["blob_id"]) for row in rows.mappings()]
        key = data_key(work, await work.session.get_one(Child, home.child_id))
    blobs = BlobStore.of(stand.settings)
    return [(ref, await blobs.read(blob_id, key)) for ref, blob_id in rows_left]
