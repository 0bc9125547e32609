"""The chores of the log and of erasures, as an operator types them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.core.platform.erasure_ledger import FAMILY, ErasureLedger, LedgerEntry
from services.devstack.postgres import LocalPostgres
from tests.integration.cli.conftest import Smartwatch


def run(work: Coroutine[Any, Any, Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


async def sql(dsn: str, *statements: str) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        value = None
        for statement in statements:
            value = await connection.fetchval(statement)
        return value
    finally:
        await connection.close()


def test_verify_says_that_all_is_well_and_names_what_is_not(
    office: Smartwatch, postgres: LocalPostgres, database_url: str
) -> None:
    well = office("audit", "verify")
    assert (well.code, well.err) == (0, "")
    assert well.out.endswith("all unchanged.\n")
    superuser = postgres.superuser_dsn(database_url.rpartition("/")[2])
    changed = run(
        sql(
            superuser,
            "SET session_replication_role = replica",
            "UPDATE audit SET action = 'forged' WHERE action = 'site.created' RETURNING audit_id",
        )
    )
    broken = office("audit", "verify")
    assert broken.code == 1
    assert broken.err.startswith("smartwatch: audit_broken: 1 faults")
    assert f"({changed}): changed" in broken.err


def test_what_the_ledger_names_is_erased_by_hand_and_by_each_upgrade(
    office: Smartwatch, database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, postgres: LocalPostgres
) -> None:
    file = tmp_path / "erasures.jsonl"
    monkeypatch.setenv("SMARTWATCH_ERASURE_LEDGER", str(file))
    monkeypatch.setenv("SMARTWATCH_MIGRATION_DATABASE_URL", postgres.owner_dsn(database_url.rpartition("/")[2]))
    for chore, line in ((("privacy", "replay"), "1 erasures repeated."), (("db", "upgrade"), "1 erasures repeated.")):
        phone = f"+86138{uuid.uuid4().int % 10**8:08d}"
        made = office(
            "families", "enrol", "--code", f"F-{uuid.uuid4().hex[:6].upper()}1", "--phone", phone, "--site", "Dongguan",
            "--cohort", "2026A",
        )  # fmt: skip
        assert made.code == 0, made.err
        family_id = run(sql(database_url, f"SELECT family_id FROM enrolment WHERE guardian_phone = '{phone}'"))  # noqa: S608
        ErasureLedger(file).append(LedgerEntry(uuid.uuid4(), FAMILY, family_id))
        refused = office("sites", "list")
        assert (refused.code, "erasures_pending" in refused.err) == (1, True)
        assert line in done(office, *chore)
        assert office("sites", "list").code == 0
        assert run(sql(database_url, f"SELECT count(*) FROM family WHERE family_id = '{family_id}'")) == 0  # noqa: S608


def done(office: Smartwatch, *words: str) -> str:
    result = office(*words)
    assert result.code == 0, result.err
    return result.out


def test_contests_are_listed_and_an_unknown_one_is_refused(office: Smartwatch) -> None:
    assert office("privacy", "contests").out == "contest\tfamily\traised by\tabout\tright\tsince\n"
    assert office("privacy", "settle", str(uuid.uuid4()), "--uphold").err.startswith("smartwatch: not_found")
