"""A system of its own for scenarios: test families, and the one test clock, so that days pass in seconds."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from services.device_sim.scenario.actors import Household, System
from services.devstack.installation import CHECKOUT, Installation

_SITE, _FIRST_PHONE = "Scenario site", 8613_500_000_000
_INSTANCE: Final = "scenarios"
_KILLABLE: Final = ("broker", "bridge", "api", "worker", "postgres")


class MovedClock:
    """The file that every process of a test system reads its time from."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._offset_s = 0.0
        self.shift(0.0)

    def now(self) -> float:
        """Return the time of the system in Unix seconds."""
        return time.time() + self._offset_s

    def shift(self, seconds: float) -> None:
        """Let this time pass at once."""
        self._offset_s += seconds
        coming = self._file.with_suffix(".new")
        coming.write_text(json.dumps({"offset_s": self._offset_s}))
        coming.replace(self._file)


@contextlib.contextmanager
def scenario_system(families: int, announce: Callable[[str], None]) -> Iterator[System]:
    """Run a system for the block, with this many families whose watches are not paired."""
    with tempfile.TemporaryDirectory(prefix="smartwatch-scenarios-") as text:
        folder = Path(text)
        folder.chmod(0o755)
        clock = MovedClock(folder / "clock.json")
        overrides = {"environment": "test", "clock_file": str(folder / "clock.json")}
        # Fresh each time: limits of an earlier run would still count.
        with contextlib.closing(_Stage(folder, overrides, announce)) as stage:
            installation = stage.installation
            households = tuple(enrolled(installation.chores_environment, folder, families))
            yield System(
                broker_host="127.0.0.1", broker_port=installation.ports["mosquitto_tls_port"],
                tls_ca_file=installation.tls_ca_file, api_url=installation.api_url,
                sms_file=Path(installation.settings["sms_file"]), households=households, now=clock.now,
                shift=clock.shift,
                actions={
                    **{f"kill {name}": stage.killer(name) for name in _KILLABLE},
                    "back up": stage.back_up, "restore": stage.restore,
                },
                hand_over=stage.hand_over,
            )  # fmt: skip


class _Stage:
    """The installation of a run. A restore replaces it by another one at the same addresses."""

    def __init__(self, folder: Path, overrides: Mapping[str, str], announce: Callable[[str], None]) -> None:
        self._folder = folder
        self._overrides = dict(overrides)
        self._announce = announce
        self.installation = self._started()

    def _started(self) -> Installation:
        installation = Installation.acquire(
            self._folder / "var", _INSTANCE, overrides=self._overrides, announce=self._announce, durable=False
        )
        installation.start()
        installation.wait_ready()
        return installation

    def close(self) -> None:
        """Stop everything."""
        self.installation.stop()

    def killer(self, name: str) -> Callable[[], Awaitable[None]]:
        """Return what kills a process of the system; it is started again by itself."""

        async def kill() -> None:
            await asyncio.to_thread(self.installation.kill, name)

        return kill

    async def back_up(self) -> None:
        """Take a full backup."""
        await asyncio.to_thread(self._run, "backup", "full")

    async def restore(self) -> None:
        """Lose the database and the audio store, restore the newest backup, and start again at the same addresses."""
        await asyncio.to_thread(self._restore)

    async def hand_over(self, watch: Household, to: Household) -> None:
        """Take a watch back from its family, and hand it out to another one in the place of its own."""
        for words in (("return", watch.serial), ("return", to.serial), ("hand-out", watch.serial, to.family_code)):
            await asyncio.to_thread(self._run, "watches", *words)

    def _restore(self) -> None:
        # The ports stay: watches and phones know them.
        ports = {name: str(port) for name, port in self.installation.ports.items()}
        self.installation.stop()
        data = self._folder / "var" / _INSTANCE
        for lost in ("postgres/data", "blobs", "mosquitto"):
            shutil.rmtree(data / lost, ignore_errors=True)
        self._run("restore", "--to", "latest", "--instance", _INSTANCE)
        self._overrides |= ports
        self.installation = self._started()

    def _run(self, *words: str) -> None:
        environment = {
            **os.environ, **self.installation.chores_environment, "SMARTWATCH_BACKUP_DIR": str(self._folder / "backup"),
            "PYTHONPATH": str(CHECKOUT),
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "services.cli", *words], check=False, capture_output=True, text=True,
            cwd=self._folder, env=environment,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"smartwatch {' '.join(words)}: {(done.stderr or done.stdout).strip()}")


def enrolled(
    environment: Mapping[str, str], folder: Path, families: int, *, first_phone: int = _FIRST_PHONE
) -> Iterator[Household]:
    """Register watches and families as a programme's office does, with the commands of the product.

    `environment`: the settings of a running installation, as for chores. Phones count up from `first_phone`.
    """
    run = str(int(time.time()))[-7:]

    def office(*words: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "services.cli", *words], check=True, stdout=subprocess.DEVNULL,
            env={**os.environ, **environment},
        )  # fmt: skip

    programme, cohort = f"Scenarios {run}", f"Cohort {run}"
    office("programme", "create", programme)
    office("sites", "create", f"{_SITE} {run}", "--programme", programme, "--country", "CN", "--timezone",
           "Asia/Shanghai", "--locale", "en")  # fmt: skip
    office("cohorts", "create", cohort, "--site", f"{_SITE} {run}")
    serials = [f"SC{run}{number:03}" for number in range(families)]
    # One range of 10,000 numbers each: codes are limited by range.
    phones = [f"+{first_phone + number * 10_000}" for number in range(families)]
    watches, people, secrets = folder / "watches.csv", folder / "families.csv", folder / "secrets.csv"
    _write(watches, [["serial", "model", "site"], *([serial, "sim", f"{_SITE} {run}"] for serial in serials)])
    office("watches", "register", str(watches), "--export-for-vendor", str(secrets))
    rows = [
        [f"S-{run}-{number:03}", phone, f"{_SITE} {run}", cohort, serial]
        for number, (phone, serial) in enumerate(zip(phones, serials, strict=True))
    ]
    _write(people, [["family_code", "phone", "site", "cohort", "watch_serial"], *rows])
    office("families", "enrol", str(people))
    with secrets.open(encoding="utf-8", newline="") as lines:
        secret_of = {row["serial"]: row["secret"] for row in csv.DictReader(lines)}
    for serial, phone in zip(serials, phones, strict=True):
        yield Household(serial, secret_of[serial], phone, f"S-{run}-{serial[-3:]}")


def _write(file: Path, rows: list[list[str]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)
