"""The memory that Postgres of `smartwatch up` is measured by: the machine's, or the container's if that is less."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.devstack import postgres


@pytest.mark.parametrize(("limit", "expected_mb"), [(str(300 * 2**20), 300), ("max", None), (None, None)])
def test_a_container_has_what_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str | None, expected_mb: int | None
) -> None:
    file = tmp_path / "memory.max"
    if limit is not None:
        file.write_text(f"{limit}\n")
    monkeypatch.setattr(postgres, "_CONTAINER_LIMIT", file)
    of_machine_mb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    assert postgres.memory_mb() == (expected_mb or of_machine_mb)
