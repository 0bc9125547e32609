"""The doctor finds backups that should be gone: what was erased can still be read in them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from services.core.platform.settings import Settings
from services.devstack.doctor import backups

DAY_S = 24 * 3600


def _backup(folder: Path, name: str, age_days: float) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"dump")
    made_at = time.time() - age_days * DAY_S
    os.utime(file, (made_at, made_at))


@pytest.mark.parametrize(
    ("age_days", "keep_days", "ok"), [(29.9, 30, True), (30.1, 30, False), (6, 7, True), (8, 7, False)]
)
def test_a_backup_older_than_it_may_be_is_wrong_wherever_in_the_folder_it_is(
    tmp_path: Path, age_days: float, keep_days: int, *, ok: bool
) -> None:
    _backup(tmp_path, "last-night.dump", 0.5)
    _backup(tmp_path, "base/old.tar", age_days)
    found = backups(Settings(backup_dir=tmp_path, keep_backups_days=keep_days))
    assert found.ok is ok
    assert found.what == f"{0 if ok else 1} of 2 files are older than {keep_days} days"


def test_a_folder_that_is_not_there_is_wrong_and_none_is_not_looked_at(tmp_path: Path) -> None:
    assert not backups(Settings(backup_dir=tmp_path / "nowhere")).ok
    assert backups(Settings()).ok
