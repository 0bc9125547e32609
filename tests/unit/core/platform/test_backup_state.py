"""The state of the backups: absent, written in turns, damaged."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.core.platform.backup_state import (
    STATE_FILE,
    BackupStateBrokenError,
    read_backup_state,
    update_backup_state,
)

MORNING = datetime(2026, 3, 1, 2, tzinfo=UTC)


def test_what_was_never_written_is_none_and_each_change_keeps_the_other_fields(tmp_path: Path) -> None:
    assert read_backup_state(tmp_path) is None

    update_backup_state(tmp_path, {"newest_backup": "a", "newest_kind": "full", "newest_at": MORNING})
    update_backup_state(tmp_path, {"received_until": MORNING, "fault": "The disk is full.", "fault_since": MORNING})
    update_backup_state(tmp_path, {"fault": "", "fault_since": None})

    state = read_backup_state(tmp_path)
    assert state is not None
    assert (state.newest_backup, state.newest_at, state.received_until) == ("a", MORNING, MORNING)
    assert (state.fault, state.fault_since, state.verified_at) == ("", None, None)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"newest_at": "yesterday"}', b'{"newest_at": "2026-03-01T02:00"}']
)
def test_a_damaged_state_is_told_apart_from_none_and_is_replaced_by_the_next_change(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / STATE_FILE).write_bytes(content)
    with pytest.raises(BackupStateBrokenError):
        read_backup_state(tmp_path)

    update_backup_state(tmp_path, {"newest_backup": "b"})
    state = read_backup_state(tmp_path)
    assert state is not None
    assert state.newest_backup == "b"
