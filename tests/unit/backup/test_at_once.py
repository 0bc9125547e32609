"""The receiver and a backup write the same files of the backup folder at the same moment."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from services.backup.blobs import copy_of, known_copies, write_copies
from services.backup.folder import BackupFolder

AT_ONCE = 4
ROUNDS = 20


def at_once(work: Callable[[], None]) -> None:
    """Do the same in several threads that begin together; raises what one of them raises."""
    begin = threading.Barrier(AT_ONCE)

    def begun() -> None:
        begin.wait()
        work()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(begun) for _ in range(AT_ONCE)]:
            done.result()


def test_a_recording_that_several_copy_at_once_is_copied(tmp_path: Path) -> None:
    for number in range(ROUNDS):
        sealed = {uuid.uuid4(): bytes([number]) * 1_000 for _ in range(3)}
        at_once(partial(write_copies, tmp_path, sealed))
        for blob_id, content in sealed.items():
            assert copy_of(tmp_path, blob_id.hex).read_bytes() == content
        assert {blob_id.bytes for blob_id in sealed} <= known_copies(tmp_path)
    assert not list(tmp_path.rglob("*.coming"))


def test_a_folder_that_several_prepare_at_once_is_prepared(tmp_path: Path) -> None:
    for number in range(ROUNDS):
        folder = BackupFolder(tmp_path / str(number))
        at_once(folder.prepare)
        assert sorted(entry.name for entry in folder.folder.iterdir()) == ["blobs", "lines", "reserve"]
