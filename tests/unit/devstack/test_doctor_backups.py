"""The doctor finds backups that are missing, old, never verified, damaged, or kept for too long."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.backup.doctor import backup_findings, kept_too_long, state_findings
from services.core.platform.backup_state import update_backup_state
from services.core.platform.settings import Settings

DAY_S = 24 * 3600
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _backup(folder: Path, name: str, age_days: float) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"dump")
    made_at = time.time() - age_days * DAY_S
    os.utime(file, (made_at, made_at))


@pytest.mark.parametrize(
    ("age_days", "keep_days", "ok"), [(29.9, 30, True), (30.1, 30, False), (6, 7, True), (8, 7, False)]
)
def test_a_backup_older_than_it_may_be_is_wrong_wherever_in_the_folder_it_is_and_sealed_sound_is_not(
    tmp_path: Path, age_days: float, keep_days: int, *, ok: bool
) -> None:
    _backup(tmp_path, "last-night.dump", 0.5)
    _backup(tmp_path, "base/old.tar", age_days)
    _backup(tmp_path, "blobs/ab/ab00", 300)
    findings = kept_too_long(tmp_path, keep_days)
    assert findings.ok is ok
    assert findings.what == f"{0 if ok else 1} of 2 files are older than {keep_days} days"


def test_a_folder_that_is_not_there_is_wrong_and_none_is_not_looked_at(tmp_path: Path) -> None:
    assert [finding.ok for finding in backup_findings(Settings(backup_dir=tmp_path / "nowhere"))] == [False]
    assert [finding.ok for finding in backup_findings(Settings())] == [True]


def test_each_state_of_the_backups_is_judged(tmp_path: Path) -> None:
    def judged(**changes: str | datetime | None) -> dict[str, bool]:
        update_backup_state(tmp_path, changes)
        return {finding.name: finding.ok for finding in state_findings(tmp_path, NOW)}

    assert [finding.ok for finding in state_findings(tmp_path, NOW)] == [False]
    assert judged(newest_backup="b", newest_at=NOW - timedelta(hours=25)) == {"backups": True, "backup verified": False}
    assert judged(verified_at=NOW - timedelta(days=7), verified_backup="a") == {
        "backups": True,
        "backup verified": True,
    }
    assert judged(verified_at=NOW - timedelta(days=9))["backup verified"] is False
    assert judged(verified_at=NOW, verify_fault="Backup b is damaged.")["backup verified"] is False
    assert judged(verify_fault="", received_until=NOW - timedelta(seconds=3))["backup receives"] is True
    assert judged(received_until=NOW - timedelta(minutes=6))["backup receives"] is False
    assert judged(received_until=NOW, fault="receiving: The disk is full.", fault_since=NOW)["backup receives"] is False
    assert judged(newest_at=NOW - timedelta(hours=27))["backups"] is False
    (tmp_path / "state.json").write_text("{")
    assert [finding.ok for finding in state_findings(tmp_path, NOW)] == [False]
