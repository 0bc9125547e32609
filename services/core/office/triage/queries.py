"""Watches of a site that need staff action, with advice: device, state and family code only."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import delete, text
from sqlmodel import col, func, select

from services.core.devices.presence.battery_levels import NOT_CHARGED_PCT
from services.core.devices.presence.queries import journey, silent_since
from services.core.devices.watches.queries import WITH_PRESENCE
from services.core.devices.watches.tables import LowBattery, SimMonth, Watch, WatchGiven, WatchIdentity, WatchPresence
from services.core.office.triage.rules import STUCK_AFTER, Device, Finding, newest_firmware, triage
from services.core.people.households.tables import Family
from services.core.people.programme.tables import Site
from services.core.people.staff_accounts.queries import approvers_at
from services.core.people.staff_accounts.rules import APPROVERS_WANTED
from services.core.platform.db.database import UnitOfWork
from services.core.platform.inbox.tables import InboxItem
from services.core.platform.locales import fitting_locale


@dataclass(frozen=True)
class TriageEntry:
    """One watch with one finding."""

    serial: str
    family_code: str | None
    finding: Finding


@cache
def _texts() -> dict[str, dict[str, str]]:
    page: dict[str, dict[str, str]] = json.loads(
        Path(__file__).with_name("triage_texts.json").read_text(encoding="utf-8")
    )
    return page


def advice(kind: str, locale: str) -> str:
    """Return the advice for a kind of finding in a supported language."""
    return _texts()[fitting_locale(locale)][kind]


async def triage_site(
    work: UnitOfWork, site_id: uuid.UUID, *, kind: str | None = None, after: str = "", most: int = 200
) -> list[TriageEntry]:
    """Return the findings of a site by serial: of one kind or all, after a serial, for at most ``most`` watches."""
    watches = await _watches(work, site_id, after)
    newest = await _newest_firmware(work, {watch.model for watch, _, _ in watches})
    low, stuck = await _low_batteries(work, site_id), await _stuck(work, site_id)
    used, given = await _last_months(work, site_id), await _given_at(work, site_id)
    entries: list[TriageEntry] = []
    seen: set[str] = set()
    for watch, family_code, identity in watches:
        device = Device(
            state=watch.state,
            paired=identity is not None,
            silent_since_at=None if identity is None else silent_since(identity, work.now),
            journey=None if identity is None else journey(identity, work.now),
            online=identity is not None and identity.online,
            handed_out_at=given.get(watch.watch_id),
            low_battery_since=None if identity is None else low.get(identity.username),
            sim_expires_on=watch.sim_expires_on,
            sim_quota_mb=watch.sim_quota_mb,
            sim_used_mb=used.get(watch.watch_id),
            firmware=str(identity.hello.get("firmware") or "") if identity is not None else "",
            newest_firmware=newest.get(watch.model, ""),
            stuck_since=None if identity is None else stuck.get(identity.child_id),
        )
        findings = [finding for finding in triage(device, work.now) if kind is None or finding.kind == kind]
        if findings and watch.serial not in seen and len(seen) == most:
            break
        if findings:
            seen.add(watch.serial)
        entries += [TriageEntry(watch.serial, family_code, finding) for finding in findings]
    return entries


async def site_warnings(work: UnitOfWork, site: Site) -> list[str]:
    """Return the warnings about the site itself: ``few_approvers``."""
    return ["few_approvers"] if await approvers_at(work, site) < APPROVERS_WANTED else []


async def record_low_batteries(work: UnitOfWork) -> bool:
    """Record when watches first reported a low battery and delete the record once it recovers; safe to run twice.

    A watch's presence holds only its last battery level; these rows hold the start of the low period.
    """
    low = text(
        "INSERT INTO low_battery (username, since_at) "
        "SELECT username, COALESCE(battery_at, :now) FROM watch_identity JOIN watch_presence USING (username) "
        "WHERE ended_at IS NULL AND battery_pct <= :low ON CONFLICT DO NOTHING RETURNING username"
    )
    noted = (await work.run(low, {"now": work.now, "low": NOT_CHARGED_PCT})).all()
    well = (
        select(WatchIdentity.username)
        .join(WatchPresence, col(WatchPresence.username) == col(WatchIdentity.username))
        .where(col(WatchIdentity.ended_at).is_not(None) | (col(WatchPresence.battery_pct) > NOT_CHARGED_PCT))
    )
    gone = await work.run(
        delete(LowBattery).where(col(LowBattery.username).in_(well)).returning(col(LowBattery.username))
    )
    return bool(noted) or bool(gone.all())


async def _watches(
    work: UnitOfWork, site_id: uuid.UUID, after: str
) -> Sequence[tuple[Watch, str | None, WatchIdentity | None]]:
    result = await work.session.exec(
        select(Watch, Family.family_code, WatchIdentity)
        .options(WITH_PRESENCE)
        .outerjoin(Family, col(Family.family_id) == col(Watch.handed_out_to))
        .outerjoin(
            WatchIdentity,
            (col(WatchIdentity.watch_id) == col(Watch.watch_id)) & col(WatchIdentity.ended_at).is_(None),
        )
        .where(col(Watch.site_id) == site_id, col(Watch.serial) > after)
        .order_by(col(Watch.serial))
    )
    return result.all()


async def _newest_firmware(work: UnitOfWork, models: set[str]) -> dict[str, str]:
    """Return the newest firmware version that any paired watch of each model has reported."""
    result = await work.session.exec(
        select(Watch.model, WatchIdentity.hello)
        .join(WatchIdentity, col(WatchIdentity.watch_id) == col(Watch.watch_id))
        .where(col(Watch.model).in_(models), col(WatchIdentity.ended_at).is_(None))
    )
    by_model: dict[str, set[str]] = {}
    for model, hello in result:
        by_model.setdefault(model, set()).add(str(hello.get("firmware") or ""))
    return {model: newest_firmware(versions) for model, versions in by_model.items()}


async def _low_batteries(work: UnitOfWork, site_id: uuid.UUID) -> dict[str, datetime]:
    result = await work.session.exec(
        select(LowBattery.username, LowBattery.since_at)
        .join(WatchIdentity, col(WatchIdentity.username) == col(LowBattery.username))
        .join(Watch, col(Watch.watch_id) == col(WatchIdentity.watch_id))
        .where(col(Watch.site_id) == site_id)
    )
    return dict(result.all())


async def _stuck(work: UnitOfWork, site_id: uuid.UUID) -> dict[uuid.UUID, datetime]:
    """Return the site's children with overdue inbox items, and since when; the items themselves are not read."""
    result = await work.session.exec(
        select(InboxItem.child_id, func.min(col(InboxItem.created_at)))
        .join(WatchIdentity, col(WatchIdentity.child_id) == col(InboxItem.child_id))
        .join(Watch, col(Watch.watch_id) == col(WatchIdentity.watch_id))
        .where(
            col(Watch.site_id) == site_id,
            col(WatchIdentity.ended_at).is_(None),
            col(InboxItem.state) == "waiting",
            col(InboxItem.created_at) <= work.now - STUCK_AFTER,
        )
        .group_by(col(InboxItem.child_id))
    )
    return dict(result.all())


async def _last_months(work: UnitOfWork, site_id: uuid.UUID) -> dict[uuid.UUID, int]:
    """Return the data usage of each SIM card of the site in the newest recent month on record."""
    result = await work.session.exec(
        select(SimMonth.watch_id, SimMonth.used_mb)
        .join(Watch, col(Watch.watch_id) == col(SimMonth.watch_id))
        .where(col(Watch.site_id) == site_id, col(SimMonth.month) >= (work.now - timedelta(days=62)).date())
        .order_by(col(SimMonth.month))
    )
    return dict(result.all())


async def _given_at(work: UnitOfWork, site_id: uuid.UUID) -> dict[uuid.UUID, datetime]:
    result = await work.session.exec(
        select(WatchGiven.watch_id, func.max(col(WatchGiven.given_at)))
        .join(Watch, col(Watch.watch_id) == col(WatchGiven.watch_id))
        .where(col(Watch.site_id) == site_id, col(WatchGiven.undone_at).is_(None))
        .group_by(col(WatchGiven.watch_id))
    )
    return dict(result.all())
