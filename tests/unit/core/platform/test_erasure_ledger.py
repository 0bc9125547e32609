"""The ledger of erasures: what is in it stays in it, whatever happened while it was written."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.core.platform.erasure_ledger import CHILD, FAMILY, ErasureLedger, LedgerBrokenError, LedgerEntry


def entry(what: str = CHILD) -> LedgerEntry:
    return LedgerEntry(uuid.uuid4(), what, uuid.uuid4())


def test_entries_come_back_in_order_and_say_nothing_but_ids(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "erasures.jsonl"
    ledger = ErasureLedger(file)
    assert ledger.read() == []
    written = [entry(), entry(FAMILY), entry()]
    for erasure in written:
        ledger.append(erasure)
    assert ErasureLedger(file).read() == written
    assert file.stat().st_mode & 0o077 == 0


def test_what_was_torn_off_is_passed_over_and_does_not_spoil_the_next(tmp_path: Path) -> None:
    file = tmp_path / "erasures.jsonl"
    ledger = ErasureLedger(file)
    first, second = entry(), entry()
    ledger.append(first)
    with file.open("ab") as torn:
        torn.write(b'{"erasure_id": "8f')
    assert ledger.read() == [first]
    ledger.append(second)
    assert ledger.read() == [first, second]


@pytest.mark.parametrize("line", ["nothing", "{}", "[]", '{"erasure_id": "x", "what": "child", "subject_id": "y"}'])
def test_a_whole_line_that_cannot_be_read_stops_everything(tmp_path: Path, line: str) -> None:
    file = tmp_path / "erasures.jsonl"
    ErasureLedger(file).append(entry())
    with file.open("a") as spoilt:
        spoilt.write(f"{line}\n")
    with pytest.raises(LedgerBrokenError):
        ErasureLedger(file).read()


def test_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "erasures.jsonl"
    written = [entry() for _ in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda erasure: ErasureLedger(file).append(erasure), written))
    assert sorted(ErasureLedger(file).read(), key=str) == sorted(written, key=str)
