"""Findings: which conditions of a watch need staff action. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from services.core.devices.presence.rules import Journey

LOW_BATTERY_AFTER: Final = timedelta(days=3)
# A watch is not reported on the evening of its hand-out.
PAIRED_WITHIN: Final = timedelta(days=1)
SIM_WARNING: Final = timedelta(days=30)
STUCK_AFTER: Final = timedelta(hours=24)

KINDS: Final = (
    "silent", "not_arrived", "low_battery", "never_paired", "sim_expiring", "sim_over_quota", "old_firmware",
    "delivery_stuck",
)  # fmt: skip
_NUMBERS: Final = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Device:
    """The known state of one watch; times are aware UTC."""

    state: str
    paired: bool = False
    # Start of a silence longer than presence.rules.SILENT_AFTER; None: not silent.
    silent_since_at: datetime | None = None
    # None: it is not on its way to the child.
    journey: Journey | None = None
    online: bool = False
    handed_out_at: datetime | None = None
    low_battery_since: datetime | None = None
    sim_expires_on: date | None = None
    sim_quota_mb: int | None = None
    sim_used_mb: int | None = None
    firmware: str = ""
    newest_firmware: str = ""
    stuck_since: datetime | None = None


@dataclass(frozen=True)
class Finding:
    """One finding: its kind, and its start (or due time) if known."""

    kind: str
    since_at: datetime | None = None


def triage(device: Device, now: datetime) -> list[Finding]:
    """Return the findings of a watch in the order of KINDS; none for a lost, broken or returned watch."""
    if device.state not in {"registered", "handed_out"}:
        return []
    findings = _of_paired(device, now) if device.paired else _of_unpaired(device, now)
    if device.sim_expires_on is not None and device.sim_expires_on <= (now + SIM_WARNING).date():
        findings.append(Finding("sim_expiring", datetime.combine(device.sim_expires_on, time(), UTC)))
    if device.sim_quota_mb is not None and (device.sim_used_mb or 0) > device.sim_quota_mb:
        findings.append(Finding("sim_over_quota"))
    return sorted(findings, key=lambda finding: KINDS.index(finding.kind))


def newest_firmware(versions: Iterable[str]) -> str:
    """Return the newest of these versions by their numeric parts; empty if no version has one."""
    return max(versions, key=_numbers, default="") if versions else ""


def _of_paired(device: Device, now: datetime) -> list[Finding]:
    if device.journey is not None:
        # Switched off in a bag: what the watch reports, or does not report, is nothing to act on. Its SIM still is.
        return [Finding("not_arrived", device.journey.since_at)] if device.journey.is_overdue else []
    findings = []
    if device.silent_since_at is not None:
        findings.append(Finding("silent", device.silent_since_at))
    if device.low_battery_since is not None and now - device.low_battery_since >= LOW_BATTERY_AFTER:
        findings.append(Finding("low_battery", device.low_battery_since))
    if _numbers(device.firmware) and _numbers(device.firmware) < _numbers(device.newest_firmware):
        findings.append(Finding("old_firmware"))
    # A silent watch is expected to have these conditions; ``silent`` already reports it.
    if device.online and device.stuck_since is not None and now - device.stuck_since >= STUCK_AFTER:
        findings.append(Finding("delivery_stuck", device.stuck_since))
    return findings


def _of_unpaired(device: Device, now: datetime) -> list[Finding]:
    if device.state != "handed_out":
        return []
    if device.handed_out_at is not None and now - device.handed_out_at < PAIRED_WITHIN:
        return []
    return [Finding("never_paired", device.handed_out_at)]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in _NUMBERS.findall(version))
