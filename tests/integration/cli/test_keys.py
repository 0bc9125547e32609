"""`smartwatch keys` as an operator types it, through a whole change of master keys."""

from __future__ import annotations

import asyncio
import base64
import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.core.people.accounts.sms_texts import login_code_text
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.core.platform.outbox.actions import send_sms
from tests.integration.cli.conftest import Smartwatch
from tests.support.world import make_home, wear

OLD, NEW = (base64.b64encode(secrets.token_bytes(32)).decode() for _ in range(2))


def families(url: str, vault: Vault) -> None:
    """Make two families under this vault; one has a watch whose password is still on its way, and one an SMS."""

    async def make() -> None:
        database = Database(url, vault=vault)
        await make_home(database)
        await wear(database, await make_home(database))
        async with database.begin() as work:
            await send_sms(work, "+8613800138000", login_code_text("en", "482913"))
        await database.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, make()).result()


def test_an_operator_changes_the_master_key(
    smartwatch: Smartwatch, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    families(database_url, Vault(OLD))
    monkeypatch.setenv("SMARTWATCH_MASTER_KEY", OLD)
    result = smartwatch("keys", "status")
    assert result.out.splitlines() == [
        "master key\tchildren\tpairing (a day)\ttext messages\tis",
        "first\t2\t1\t1\tthe newest: it seals",
        "Nothing needs another key than first: the others may be removed.",
    ]

    monkeypatch.setenv("SMARTWATCH_MASTER_KEYS", f"2027:{NEW},first:{OLD}")
    refused = smartwatch("keys", "status")
    assert refused.code == 1
    assert "  master_keys needs a hash_key beside it: where there was one master_key, that one" in refused.err

    monkeypatch.setenv("SMARTWATCH_HASH_KEY", OLD)
    result = smartwatch("keys", "rotate")
    assert result.code == 0
    assert result.out.splitlines() == [
        "2 keys are wrapped under 2027 now.",
        "master key\tchildren\tpairing (a day)\ttext messages\tis",
        "2027\t2\t0\t0\tthe newest: it seals",
        "first\t0\t1\t1\tthere: it opens",
        "2 still need another key than 2027.",
    ]
    assert smartwatch("keys", "rotate").out.startswith("0 keys are wrapped under 2027 now.\n")

    # A process that was not restarted yet, and an old key that is removed too early.
    families(database_url, Vault(OLD))
    monkeypatch.setenv("SMARTWATCH_MASTER_KEYS", f"2027:{NEW}")
    result = smartwatch("keys", "rotate")
    assert result.code == 1
    assert "first\t2\t2\t2\tMISSING" in result.out.splitlines()
    assert "6 still need another key than 2027." in result.out.splitlines()
    assert result.err == (
        "smartwatch: master_key_missing: 2 keys could not be unwrapped and are unchanged: restore their master key.\n"
    )

    monkeypatch.setenv("SMARTWATCH_MASTER_KEYS", f"2027:{NEW},first:{OLD}")
    assert smartwatch("keys", "rotate").out.startswith("2 keys are wrapped under 2027 now.\n")
    assert OLD not in result.out + result.err
