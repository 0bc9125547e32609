"""One run of the watchdog: look, decide, send, and note what was sent. A timer runs it every minute."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from services.core.platform.clock import system_clock
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.core.platform.db.notifying import CONNECTION_ERRORS
from services.core.platform.erasure_ledger import ErasuresPendingError, LedgerAwayError, LedgerBrokenError
from services.core.platform.settings import Settings
from services.devstack.watchdog import checks
from services.devstack.watchdog.rules import Line, Trouble, due_lines, is_balance_due, note_sent
from services.devstack.watchdog.sending import NotSentError, Way, ways_of
from services.devstack.watchdog.state import only_one, read_state, write_state
from services.worker.sms_providers.opening import open_router
from services.worker.sms_providers.router import SmsRouter

NOBODY_IS_TOLD = (
    "watchdog: nobody is told: set SMARTWATCH_WATCHDOG_MAIL_TO, SMARTWATCH_WATCHDOG_WEBHOOK_URL or "
    "SMARTWATCH_WATCHDOG_SMS_TO"
)


def run_watchdog(settings: Settings, *, clock: Callable[[], datetime] = system_clock) -> int:
    """Look at everything once and send what is due; return 1 where a line reached nobody, otherwise 0."""
    with only_one(settings.watchdog_state) as is_alone:
        if not is_alone:
            print("watchdog: another run is not finished", file=sys.stderr)
            return 0
        return asyncio.run(_run(settings, clock))


async def _run(settings: Settings, clock: Callable[[], datetime]) -> int:
    async with open_router(settings, Vault.of(settings), clock) as router:
        now, earlier = clock(), read_state(settings.watchdog_state)
        asks = is_balance_due(earlier, now)
        troubles = await find_troubles(settings, router, now, asks_balance=asks)
        lines, seen = due_lines(
            troubles, replace(earlier, balance_asked_at=now if asks else earlier.balance_asked_at), now
        )
        for trouble, sentence in troubles.items():
            print(f"{trouble}: {sentence}")
        ways = ways_of(settings, router, now)
        if not ways:
            write_state(settings.watchdog_state, seen)
            print(NOBODY_IS_TOLD, file=sys.stderr)
            return 1
        sent = [line for line in lines if await _send(line, ways)]
        write_state(settings.watchdog_state, note_sent(seen, sent, now))
    return 0 if len(sent) == len(lines) else 1


async def _send(line: Line, ways: Mapping[str, Way]) -> bool:
    """Send a line by every way; return whether it reached anybody."""
    is_sent = False
    for way in ways.values():
        try:
            await way(line)
        except NotSentError as error:
            print(f"watchdog: not sent by {error}", file=sys.stderr)
        else:
            is_sent = True
    return is_sent


async def find_troubles(
    settings: Settings, router: SmsRouter, now: datetime, *, asks_balance: bool
) -> dict[Trouble, str]:
    """Return a sentence for each kind of trouble there is; providers are asked for their balance where it says so."""
    folder = settings.backup_dir
    certificates = [Path(settings.tls_certificate_file)] if settings.tls_certificate_file else []
    sentences = {
        Trouble.NOT_READY: await checks.not_ready(checks.pages_of(settings)),
        Trouble.BACKUP_OLD: checks.backup_old(folder, now),
        Trouble.BACKUP_UNVERIFIED: checks.backup_unverified(folder, now),
        Trouble.CERTIFICATE: checks.certificate(certificates, now)
        or await asyncio.to_thread(checks.public_certificate, settings.public_url, now),
        Trouble.DISK: checks.disk(checks.folders_of(settings)),
        **await _texts(settings, router, asks_balance=asks_balance),
    }
    return {trouble: sentence for trouble, sentence in sentences.items() if sentence}


async def _texts(settings: Settings, router: SmsRouter, *, asks_balance: bool) -> dict[Trouble, str | None]:
    """Judge the text messages; a database that is away shows in `/readyz`, and so does a `smartwatch up` that ended."""
    if not settings.database_url:
        return {}
    database = Database.of(settings)
    try:
        counts, waiting = await checks.sms_state(database)
    except (SQLAlchemyError, *CONNECTION_ERRORS):
        return {}
    except (ErasuresPendingError, LedgerBrokenError, LedgerAwayError):
        return {}
    finally:
        await database.close()
    return {
        Trouble.SMS_FAILING: checks.sms_failing(counts),
        Trouble.SOS_UNSENT: checks.sos_unsent(counts, waiting),
        Trouble.BALANCE: await checks.balance(
            router.providers if asks_balance else {}, settings.sms_balance_least, counts.without_balance
        ),
    }  # fmt: skip
