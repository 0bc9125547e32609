"""The work of the programme office before a family arrives, through the command line that an office uses."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
_PROGRAMME = "WeCare"
# The machine may hold another programme with a site of the same name.
_IN_PROGRAMME = ("--programme", _PROGRAMME)


class ChoreError(Exception):
    """A command of the office failed; the message is its output."""


@dataclass(frozen=True)
class HandedOut:
    """A watch that is handed out to an enrolled family."""

    serial: str
    secret: str
    phone: str
    family_code: str


class Office:
    """Runs chores against a running machine; files go into a folder that only its owner can read."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self._environment = {**os.environ, **environment}
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def run(self, *words: str) -> str:
        """Run ``smartwatch`` with these words and return what it printed; raises ChoreError."""
        done = subprocess.run(
            [sys.executable, "-m", "services.cli", *words],
            capture_output=True, text=True, check=False, cwd=CHECKOUT, env=self._environment,
        )  # fmt: skip
        if done.returncode:
            message = f"smartwatch {words[0]} {words[1]}: {done.stderr.strip() or done.stdout.strip()}"
            raise ChoreError(message)
        return done.stdout

    def set_up_programme(self) -> None:
        """Create programme, site and cohort; a repeat changes nothing."""
        self.run("programme", "create", _PROGRAMME)
        self.run(
            "sites", "create", "Dongguan", "--programme", _PROGRAMME, "--country", "CN", "--timezone", "Asia/Shanghai",
            "--locale", "en",
        )  # fmt: skip
        self.run("cohorts", "create", "Spring", "--site", "Dongguan", *_IN_PROGRAMME)

    def hand_out(self, serial: str, phone: str, family_code: str) -> HandedOut:
        """Register a watch, enrol a family by phone, and hand the watch out to it."""
        watches = self._table(f"watches-{serial}.csv", ["serial", "model", "site"], [serial, "sim-1", "Dongguan"])
        secrets_file = self._folder / f"secrets-{serial}.csv"
        self.run("watches", "register", str(watches), "--export-for-vendor", str(secrets_file), *_IN_PROGRAMME)
        families = self._table(
            f"family-{family_code}.csv",
            ["family_code", "phone", "site", "cohort", "watch_serial"],
            [family_code, phone, "Dongguan", "Spring", serial],
        )
        self.run("families", "enrol", str(families), *_IN_PROGRAMME)
        with secrets_file.open(encoding="utf-8-sig", newline="") as lines:
            secret = next(row["secret"] for row in csv.DictReader(lines) if row["serial"] == serial)
        return HandedOut(serial, secret, phone, family_code)

    def _table(self, name: str, header: list[str], row: list[str]) -> Path:
        file = self._folder / name
        with file.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([header, row])
        return file
