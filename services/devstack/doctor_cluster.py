"""Findings about parts that several machines share: the bucket of the ledger, the servers of the database, brokers."""

from __future__ import annotations

import asyncio

from services.broker.external.kicks import inner_tls
from services.core.platform.erasure_ledger import LedgerAwayError, LedgerBrokenError
from services.core.platform.settings import Settings
from services.devstack.doctor_postgres import servers
from services.devstack.findings import Finding

_ANSWER_WITHIN_S = 5.0


def shared_parts(settings: Settings) -> list[Finding]:
    """Return what is to be said about the parts that several machines share; nothing where there are none."""
    findings = [ledger_bucket(settings)] if settings.erasure_ledger_url else []
    if not settings.database_prepared_statements:
        findings.append(_unprepared(settings))
    findings += asyncio.run(servers(settings.database_direct_url or settings.database_url))
    if settings.broker == "external":
        findings += asyncio.run(_brokers(settings))
    return findings


def _unprepared(settings: Settings) -> Finding:
    """Say what it costs that statements are not prepared, and what is missing beside it."""
    if not settings.database_direct_url:
        return Finding(
            "pooler", ok=False, what="statements are not prepared, and SMARTWATCH_DATABASE_DIRECT_URL is empty",
            mend="name the server itself there: locks, leases and notifications need a connection that stays",
        )  # fmt: skip
    return Finding(
        "pooler", ok=True, warns=True,
        what="statements are not prepared: each is parsed and planned anew, and each read takes two more round trips",
        mend="use PgBouncer 1.21 or newer with max_prepared_statements, and remove "
        "SMARTWATCH_DATABASE_PREPARED_STATEMENTS",
    )  # fmt: skip


def ledger_bucket(settings: Settings) -> Finding:
    """Read the ledger of erasures, and try whether its bucket creates only."""
    # The client of the store is loaded where there is one.
    from services.core.platform.erasure_ledger_s3 import S3ErasureLedger  # noqa: PLC0415

    ledger = S3ErasureLedger.at(settings.erasure_ledger_url, settings)
    try:
        entries = ledger.read()
        ledger.check_creates_only()
    except LedgerBrokenError:
        return Finding(
            "erasure ledger", ok=False, what=f"{settings.erasure_ledger_url} has a hole or an object that is no entry",
            mend="bring the objects back from the backup's erasures.jsonl; nothing is served until then",
        )  # fmt: skip
    except LedgerAwayError as error:
        if error.__cause__ is None:
            return Finding(
                "erasure ledger", ok=False,
                what=f"{settings.erasure_ledger_url} replaces objects although it is told to create only",
                mend="use an S3 server that honours If-None-Match on PUT; no erasure is accepted until then",
            )  # fmt: skip
        return Finding(
            "erasure ledger", ok=False, what=f"{settings.erasure_ledger_url} does not answer, or refuses the key",
            mend="correct SMARTWATCH_S3_ENDPOINT, the key and the bucket; no erasure is accepted until then",
        )  # fmt: skip
    return Finding("erasure ledger", ok=True, what=f"{len(entries)} entries in {settings.erasure_ledger_url}")


async def _brokers(settings: Settings) -> list[Finding]:
    """Try to reach each broker of the list."""
    return list(await asyncio.gather(*(_broker(settings, host, port) for host, port in settings.backend_addresses())))


async def _broker(settings: Settings, host: str, port: int) -> Finding:
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            _, writer = await asyncio.open_connection(host, port, ssl=inner_tls(settings))
        writer.close()
    except (OSError, TimeoutError) as error:
        return Finding(
            "broker", ok=False, what=f"{host}:{port} is not reached ({type(error).__name__})",
            mend="correct SMARTWATCH_BROKER_ADDRESSES, or start that node; bridges use the others meanwhile",
        )  # fmt: skip
    return Finding("broker", ok=True, what=f"{host}:{port} answers")
