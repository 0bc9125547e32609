"""The doctor reports damaged files of the broker and a persistence file that has grown too large."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from services.broker.configuration import SHIPPED
from services.broker.sessions import STATE_ALARM_BYTES
from services.devstack.doctor import broker_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A broker's folder as its process leaves it."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state/mosquitto.db").write_bytes(b"queue")
    shutil.copy(SHIPPED / "acl", tmp_path / "acl")
    return tmp_path


def test_whole_files_and_a_folder_that_is_not_there_yet_are_well(folder: Path) -> None:
    assert broker_files(folder).ok
    assert broker_files(folder / "nowhere").ok


def test_a_damaged_access_file_is_found(folder: Path) -> None:
    (folder / "acl").write_bytes(b"topic readwrite #\n")
    assert not broker_files(folder).ok
    (folder / "acl").unlink()
    (folder / "acl").mkdir()
    assert not broker_files(folder).ok


@pytest.mark.parametrize("name", ["passwords.broken", "state/mosquitto.db.broken"])
def test_a_file_that_was_set_aside_is_found(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"")
    finding = broker_files(folder)
    assert not finding.ok
    assert name.rpartition("/")[2] in finding.what


def test_a_large_persistence_file_is_found(folder: Path) -> None:
    os.truncate(folder / "state/mosquitto.db", STATE_ALARM_BYTES)
    assert broker_files(folder).ok
    os.truncate(folder / "state/mosquitto.db", STATE_ALARM_BYTES + 1)
    assert not broker_files(folder).ok
