"""Register watches in bulk, with vendor-supplied or newly generated secrets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func
from sqlmodel import col, select

from services.core.devices.watches.errors import VendorFileOfOthersError
from services.core.devices.watches.rules import WatchRow
from services.core.devices.watches.tables import Watch
from services.core.office.registration.vendor_file import (
    VendorSecrets,
    new_factory_secret,
    read_prepared_file,
    write_vendor_file,
)
from services.core.people.programme.queries import site_named
from services.core.people.programme.tables import Site
from services.core.platform.audit.actions import Actor, record_audit
from services.core.platform.crypto.broker_password import mosquitto_hash, mosquitto_hash_fits
from services.core.platform.db.database import UnitOfWork
from services.core.platform.errors import CoreError
from services.core.platform.facts.actions import record_fact
from services.core.platform.spreadsheets.sheets import Fault, SheetRefusedError, all_faults

# Postgres notifies the broker on this channel that the set of accepted log-ins has changed.
BROKER_CHANNEL = "broker_users"
# A watch in one of these states holds its SIM card; a lost or broken one has released it.
STATES_WITH_SIM = ("registered", "handed_out", "returned")

Progress = Callable[[], None]


@dataclass
class Registration:
    """Result of a list: the serials registered, the serials updated, and the serials left unchanged."""

    registered: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Checked:
    """A watch list compared with the database: each row with its site, and the watches already registered."""

    rows: Sequence[WatchRow]
    sites: Mapping[str, Site]
    known: Mapping[str, Watch]

    def new_rows(self) -> list[WatchRow]:
        return [row for row in self.rows if row.serial not in self.known]


async def register_with_vendor_secrets(
    work: UnitOfWork,
    actor: Actor,
    rows: Sequence[WatchRow],
    offered: VendorSecrets,
    *,
    programme: str | None = None,
    further: Sequence[Fault] = (),
    progress: Progress = lambda: None,
) -> Registration:
    """Register a list of watches with the secrets of their vendor's file; repeating the call changes nothing.

    Raises SheetRefusedError with every row that conflicts with a registered watch or lacks a secret, and the faults
    that the vendor's file and (``further``) the list reveal alone; nothing is registered in that case.
    """
    checked, faults = await _check_list(work, rows, programme)
    faults += await _secret_faults(work, checked, offered)
    _refuse([*further, *offered.faults], faults)
    return await _register(work, actor, checked, offered.secrets, progress)


async def register_for_vendor(
    work: UnitOfWork,
    actor: Actor,
    rows: Sequence[WatchRow],
    file: Path,
    *,
    programme: str | None = None,
    further: Sequence[Fault] = (),
    progress: Progress = lambda: None,
) -> Registration:
    """Register a list of watches with new secrets and write those to ``file``; repeating the call changes nothing.

    The file is on disk before the caller commits. An existing file is the remainder of a crash before the commit; its
    secrets are registered and no new ones. Raises SheetRefusedError as :func:`register_with_vendor_secrets` does,
    VendorFileOfOthersError (the file lacks some of the new watches), VendorFileFailedError.
    """
    checked, faults = await _check_list(work, rows, programme)
    new = [row.serial for row in checked.new_rows()]
    prepared = read_prepared_file(file, rows)
    if prepared is None:
        _refuse(further, faults)
    else:
        if set(new) <= prepared.secrets.keys():
            faults += await _secret_faults(work, checked, prepared)
        _refuse([*further, *prepared.faults], faults)
        if not set(new) <= prepared.secrets.keys():
            raise VendorFileOfOthersError
        return await _register(work, actor, checked, prepared.secrets, progress)
    if not new:
        return await _register(work, actor, checked, {}, progress)
    secrets = {serial: new_factory_secret() for serial in new}
    registration = await _register(work, actor, checked, secrets, progress)
    # The file is written last, after the database has accepted every row: an earlier failure leaves no file.
    await work.flush()
    write_vendor_file(file, secrets)
    return registration


async def check_watch_list(
    work: UnitOfWork, rows: Sequence[WatchRow], *, programme: str | None = None, further: Sequence[Fault] = ()
) -> Registration:
    """Return the result that registering this list would have, without writing; raises SheetRefusedError likewise."""
    checked, faults = await _check_list(work, rows, programme)
    _refuse(further, faults)
    outcome = Registration()
    for row in rows:
        known = checked.known.get(row.serial)
        if known is None:
            outcome.registered.append(row.serial)
        else:
            (outcome.updated if _news(row, known) else outcome.unchanged).append(row.serial)
    return outcome


def _refuse(alone: Sequence[Fault], compared: Sequence[Fault]) -> None:
    if faults := all_faults(alone, compared):
        raise SheetRefusedError(faults)


async def _check_list(
    work: UnitOfWork, rows: Sequence[WatchRow], programme: str | None
) -> tuple[_Checked, list[Fault]]:
    """Compare a list with the registered watches; return both, and a fault for each conflict."""
    # Registrations are serialised: the checks stay valid until the commit.
    await work.session.exec(select(func.pg_advisory_xact_lock(func.hashtextextended("watches.register", 0))))
    sites, faults = await _sites(work, rows, programme)
    result = await work.session.exec(
        select(Watch).where(col(Watch.serial).in_([row.serial for row in rows])).with_for_update()
    )
    checked = _Checked(rows, sites, {watch.serial: watch for watch in result})
    faults += await _number_faults(work, rows)
    for row in rows:
        if (known := checked.known.get(row.serial)) is not None:
            faults += _differences(row, known, sites.get(row.site))
    return checked, faults


async def _sites(
    work: UnitOfWork, rows: Sequence[WatchRow], programme: str | None
) -> tuple[dict[str, Site], list[Fault]]:
    sites: dict[str, Site] = {}
    refused: dict[str, tuple[str, str]] = {}
    for name in dict.fromkeys(row.site for row in rows):
        try:
            sites[name] = await site_named(work, name, programme)
        except CoreError as error:
            refused[name] = (error.code, error.sentence)
    faults = [row.fault("site", *refused[row.site]) for row in rows if row.site in refused]
    return sites, faults


async def _number_faults(work: UnitOfWork, rows: Sequence[WatchRow]) -> list[Fault]:
    """Return a fault for each IMEI or ICCID that is assigned to another watch."""
    owners: dict[str, dict[str, str]] = defaultdict(dict)
    imeis = [row.imei for row in rows if row.imei]
    iccids = [row.iccid for row in rows if row.iccid]
    for imei, serial in await work.session.exec(select(Watch.imei, Watch.serial).where(col(Watch.imei).in_(imeis))):
        owners["imei"][imei or ""] = serial
    for iccid, serial in await work.session.exec(
        select(Watch.iccid, Watch.serial).where(col(Watch.iccid).in_(iccids), col(Watch.state).in_(STATES_WITH_SIM))
    ):
        owners["iccid"][iccid or ""] = serial
    return [
        row.fault(column, f"{column}_taken", f"Watch {owner} already has this value.")
        for row in rows
        for column, number in (("imei", row.imei), ("iccid", row.iccid))
        if number and (owner := owners[column].get(number, row.serial)) != row.serial
    ]


def _differences(row: WatchRow, known: Watch, site: Site | None) -> list[Fault]:
    """Return a fault for each differing attribute that identifies the watch; SIM attributes may change."""
    sentence = "This watch is registered with another value."
    faults = []
    if row.imei and known.imei and row.imei != known.imei:
        faults.append(row.fault("imei", "imei_differs", sentence))
    if row.model != known.model:
        faults.append(row.fault("model", "model_differs", sentence))
    if site is not None and site.site_id != known.site_id:
        faults.append(
            row.fault("site", "site_differs", "This watch is registered at another site. Move it to this site first.")
        )
    return faults


def _news(row: WatchRow, known: Watch) -> dict[str, object]:
    """Return the attributes to update: SIM attributes and a missing IMEI. An empty cell changes nothing."""
    given = {"imei": row.imei, "iccid": row.iccid, "sim_holder": row.sim_holder, "sim_expires_on": row.sim_expires_on}
    return {name: value for name, value in given.items() if value is not None and getattr(known, name) != value}


async def _secret_faults(work: UnitOfWork, checked: _Checked, offered: VendorSecrets) -> list[Fault]:
    """Return a fault for a new watch without a secret, a known one with a different one, and a secret in use."""
    faults = [
        row.fault("serial", "secret_missing", "The vendor's file has no secret for this watch.")
        for row in checked.new_rows()
        if row.serial not in offered.secrets
    ]
    sound = offered.sound()
    marks = {_mark(work, secret): serial for serial, secret in sound.items()}
    holders = await _serials_of_marks(work, marks)
    for row in checked.rows:
        secret = sound.get(row.serial)
        if secret is None:
            continue
        mark, known = _mark(work, secret), checked.known.get(row.serial)
        if known is not None and not mosquitto_hash_fits(secret, known.factory_password_hash):
            faults.append(
                row.fault("serial", "secret_differs", "This watch is registered with another secret, which is kept.")
            )
        elif holders.get(mark, row.serial) != row.serial:
            faults.append(row.fault("serial", "secret_reused", f"Watch {holders[mark]} has the same secret."))
    return faults


async def _serials_of_marks(work: UnitOfWork, marks: Iterable[bytes]) -> dict[bytes, str]:
    result = await work.session.exec(
        select(Watch.factory_secret_mark, Watch.serial).where(col(Watch.factory_secret_mark).in_(list(marks)))
    )
    return {mark or b"": serial for mark, serial in result}


async def _register(
    work: UnitOfWork, actor: Actor, checked: _Checked, secrets: Mapping[str, str], progress: Progress
) -> Registration:
    outcome = Registration()
    fresh: list[Watch] = []
    for row in checked.rows:
        known = checked.known.get(row.serial)
        if known is None:
            fresh.append(_watch(work, row, checked.sites[row.site], secrets[row.serial]))
            outcome.registered.append(row.serial)
        elif news := _news(row, known):
            known.sqlmodel_update(news)
            work.add(known)
            record_audit(work, actor, "watch.changed", subject_id=known.watch_id)
            outcome.updated.append(row.serial)
        else:
            outcome.unchanged.append(row.serial)
        progress()
    work.add(*fresh)
    # Insert watches before the rows that refer to them: there is no defined order between tables of different areas.
    await work.flush()
    for watch in fresh:
        record_fact(work, "watch_registered", watch_id=watch.watch_id)
        record_audit(work, actor, "watch.registered", subject_id=watch.watch_id)
    if fresh:
        work.notify(BROKER_CHANNEL)
    return outcome


def _watch(work: UnitOfWork, row: WatchRow, site: Site, secret: str) -> Watch:
    return Watch(
        serial=row.serial, imei=row.imei, model=row.model, site_id=site.site_id,
        factory_password_hash=mosquitto_hash(secret), factory_secret_mark=_mark(work, secret),
        iccid=row.iccid, sim_holder=row.sim_holder, sim_expires_on=row.sim_expires_on, registered_at=work.now,
    )  # fmt: skip


def _mark(work: UnitOfWork, secret: str) -> bytes:
    return work.vault.keyed_hash(secret, "factory-secret")
