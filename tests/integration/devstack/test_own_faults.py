"""`up` replaces a process that is frozen or hangs, and leaves alone one that waits for Postgres or the broker."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.devstack.installation import Installation
from tests.support.process_tree import paused

# Shortened: the product waits 30 s.
AFTER_S = 4.0
NAMES = ("api", "worker", "bridge", "broker")


@pytest.fixture(scope="module")
def announced() -> list[str]:
    return []


@pytest.fixture(scope="module")
def installation(open_folder: Path, announced: list[str]) -> Iterator[Installation]:
    with Installation.acquire(
        open_folder / "var", announce=announced.append, durable=False, own_fault_after_s=AFTER_S
    ) as installation:
        yield installation


def _wait_until(holds: Callable[[], bool], what: str, deadline_s: float = 90.0) -> float:
    start_s = time.monotonic()
    while not holds():
        assert time.monotonic() - start_s < deadline_s, f"never came true: {what}"
        time.sleep(0.2)
    return time.monotonic() - start_s


def test_each_frozen_process_is_killed_and_started_again(installation: Installation, announced: list[str]) -> None:
    installation.wait_ready()
    before = installation.process_ids()
    for name in NAMES:
        frozen = before[name]
        assert frozen is not None
        os.kill(frozen, signal.SIGSTOP)
    frozen_at_s = time.monotonic()
    _wait_until(
        lambda: all(installation.process_ids()[name] not in {before[name], None} for name in NAMES), "all are replaced"
    )
    assert time.monotonic() - frozen_at_s >= AFTER_S
    installation.wait_ready()
    for name in NAMES:
        assert any(line.startswith(f"{name} is unready by its own fault") for line in announced), name


def test_while_postgres_is_frozen_nothing_is_killed(installation: Installation, announced: list[str]) -> None:
    installation.wait_ready()
    before = installation.process_ids()
    postmaster = before["postgres"]
    assert postmaster is not None
    with paused(postmaster):
        _wait_until(lambda: {"api", "worker", "bridge"} <= installation.unready().keys(), "all miss Postgres")
        waited_until_s = time.monotonic() + 4 * AFTER_S
        _wait_until(lambda: time.monotonic() > waited_until_s, "the time of several own faults is over")
        during = installation.process_ids()
    installation.wait_ready()
    assert [during[name] for name in NAMES] == [before[name] for name in NAMES], announced


def test_while_postgres_is_away_nothing_is_killed(installation: Installation, announced: list[str]) -> None:
    installation.wait_ready()
    before = installation.process_ids()
    with installation.kept_down("postgres"):
        _wait_until(lambda: {"api", "worker", "bridge"} <= installation.unready().keys(), "all miss Postgres")
        waited_until_s = time.monotonic() + 2 * AFTER_S
        _wait_until(lambda: time.monotonic() > waited_until_s, "the time of two own faults is over")
        during = installation.process_ids()
    installation.wait_ready()
    assert [during[name] for name in NAMES] == [before[name] for name in NAMES], announced
