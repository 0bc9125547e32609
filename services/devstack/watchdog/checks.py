"""Checks of the watchdog. Each returns a sentence without anything personal, or None."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
from cryptography import x509

from services.broker.certificates import expires_at
from services.core.platform.backup_state import BackupStateBrokenError, read_backup_state
from services.core.platform.db.database import Database
from services.core.platform.outbox.sms_outcomes import SmsCounts, count_outcomes, count_waiting_sos
from services.core.platform.settings import Settings
from services.worker.sms_providers.interface import BalanceUnknownError, SmsNotTakenError, SmsProvider

BACKUP_AGE_MAX: Final = timedelta(hours=26)
VERIFIED_AGE_MAX: Final = timedelta(days=8)
CERTIFICATE_LEFT_MIN: Final = timedelta(days=14)
DISK_FREE_MIN: Final = 0.10
SMS_PERIOD: Final = timedelta(minutes=15)
SMS_FAILED_MAX: Final = 0.10
# One wrong number is no trouble of ours; several at once may be a provider that reports them so.
NUMBERS_REFUSED_MIN: Final = 3
# An SOS is offered within a second; one that waits for this long reached no provider.
SOS_WAITS_MAX: Final = timedelta(minutes=2)
_TIMEOUT_S: Final = 5.0
_DISK_REASONS_SHOWN: Final = 3


async def not_ready(pages: Mapping[str, str]) -> str | None:
    """Ask every ``/readyz``; ``pages`` are addresses by the name of the process."""
    reasons = []
    async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as client:
        for name, address in pages.items():
            try:
                answer = await client.get(address)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                reasons.append(f"{name} does not answer ({type(error).__name__})")
                continue
            if answer.status_code != httpx.codes.OK:
                reasons.append(f"{name}: {_failed_checks(answer)}")
    return f"not ready: {'; '.join(reasons)}" if reasons else None


def _failed_checks(answer: httpx.Response) -> str:
    try:
        checks = answer.json()["checks"]
        return ", ".join(sorted(name for name, state in checks.items() if state != "ok")) or str(answer.status_code)
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"answered {answer.status_code}"


def pages_of(settings: Settings) -> dict[str, str]:
    """Return the addresses of ``/readyz`` to ask: those of the setting, or of the processes of this machine."""
    if settings.watchdog_pages:
        written = [part.strip() for part in settings.watchdog_pages.split(",") if part.strip()]
        return {urlsplit(address).netloc or address: address for address in written}
    ports = {
        "api": settings.api_health_port, "bridge": settings.bridge_health_port, "broker": settings.broker_health_port,
        "worker": settings.worker_health_port,
        "backup": settings.backup_health_port if settings.backup_dir is not None else 0,
    }  # fmt: skip
    return {name: f"http://127.0.0.1:{port}/readyz" for name, port in ports.items() if port}


def backup_old(folder: Path | None, now: datetime) -> str | None:
    """Check the age of the newest backup."""
    if folder is None:
        return None
    try:
        state = read_backup_state(folder)
    except BackupStateBrokenError:
        return "the state of the backups cannot be read"
    if state is None or state.newest_at is None:
        return "there is no backup"
    age = now - state.newest_at
    return f"the newest backup is {_hours(age)} h old" if age > BACKUP_AGE_MAX else None


def backup_unverified(folder: Path | None, now: datetime) -> str | None:
    """Check that a backup was verified of late, and that the last verification found no fault."""
    if folder is None:
        return None
    try:
        state = read_backup_state(folder)
    except BackupStateBrokenError:
        return None
    if state is None or state.newest_at is None:
        return None
    if state.verify_fault:
        return "the last verification of a backup failed"
    if state.verified_at is None:
        return "no backup was ever verified"
    age = now - state.verified_at
    return f"the last verification of a backup was {age.days} days ago" if age > VERIFIED_AGE_MAX else None


def certificate(files: Iterable[Path], now: datetime) -> str | None:
    """Check how long the certificates in these files last."""
    for file in files:
        left_until = expires_at(file)
        if left_until is None:
            return f"the certificate {file.name} cannot be read"
        if sentence := _lasts(f"the certificate {file.name}", left_until, now):
            return sentence
    return None


def public_certificate(public_url: str, now: datetime) -> str | None:
    """Check how long the certificate lasts that phones are shown; one that cannot be fetched is for other checks."""
    parts = urlsplit(public_url)
    if parts.scheme != "https" or not parts.hostname:
        return None
    try:
        pem = ssl.get_server_certificate((parts.hostname, parts.port or 443), timeout=_TIMEOUT_S)
        left_until = x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc
    except (OSError, ValueError):
        return None
    return _lasts(f"the certificate of {parts.hostname}", left_until, now)


def _lasts(what: str, until: datetime, now: datetime) -> str | None:
    left = until - now
    if left >= CERTIFICATE_LEFT_MIN:
        return None
    return f"{what} has expired" if left <= timedelta(0) else f"{what} expires in {left.days} days"


def disk(folders: Iterable[Path]) -> str | None:
    """Check the room on the disks of these folders; each disk once."""
    short: dict[int, str] = {}
    for folder in folders:
        existing = next((path for path in (folder, *folder.absolute().parents) if path.exists()), None)
        if existing is None:
            continue
        usage = shutil.disk_usage(existing)
        if usage.free < DISK_FREE_MIN * usage.total:
            short.setdefault(existing.stat().st_dev, f"{usage.free * 100 // usage.total} % free at {existing}")
    return "; ".join(list(short.values())[:_DISK_REASONS_SHOWN]) or None


def folders_of(settings: Settings) -> list[Path]:
    """Return the folders that fill up: recordings, backups, the broker's, the ledger's."""
    folders = [settings.mosquitto_dir, settings.erasure_ledger.parent, settings.watchdog_state.parent]
    if settings.backup_dir is not None:
        folders.append(settings.backup_dir)
    if settings.blob_url.startswith("file:"):
        folders.append(Path(settings.blob_url.removeprefix("file:")))
    return folders


async def sms_state(database: Database) -> tuple[SmsCounts, int]:
    """Return the counts of the last 15 minutes and the number of SOS messages that wait for longer than 2 minutes."""
    async with database.begin() as work:
        return await count_outcomes(work, work.now - SMS_PERIOD), await count_waiting_sos(
            work, work.now - SOS_WAITS_MAX
        )


def sms_failing(counts: SmsCounts) -> str | None:
    """Judge the share of text messages that reached nobody."""
    is_ours = counts.failed > counts.numbers_refused or counts.numbers_refused >= NUMBERS_REFUSED_MIN
    if not counts.offered or not is_ours or counts.failed <= SMS_FAILED_MAX * counts.offered:
        return None
    share = counts.failed * 100 // counts.offered
    return f"{counts.failed} of {counts.offered} texts failed in 15 minutes ({share} %)"


def sos_unsent(counts: SmsCounts, waiting: int) -> str | None:
    """Judge whether an SOS reached no provider."""
    number = max(counts.sos_failed, waiting)
    return f"{number} SOS text{'s' if number > 1 else ''} reached nobody" if number else None


async def balance(
    providers: Mapping[str, SmsProvider], least: Mapping[str, float], without_balance: Iterable[str]
) -> str | None:
    """Ask the providers that tell their balance; those that refused a message for lack of it count as empty."""
    low = [f"{name} has no balance" for name in without_balance]
    for name, provider in providers.items():
        if name not in least:
            continue
        try:
            amount = await provider.balance()
        except (BalanceUnknownError, SmsNotTakenError):
            continue
        if amount < least[name]:
            low.append(f"{name} has {amount:g}, less than {least[name]:g}")
    return "; ".join(low) or None


def _hours(age: timedelta) -> int:
    return int(age.total_seconds() // 3600)
