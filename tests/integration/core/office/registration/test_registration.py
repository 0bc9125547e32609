"""Watches come in by list: all or nothing, each with one secret, whatever breaks on the way."""

from __future__ import annotations

import asyncio
import csv
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import col, select

from services.core.devices.watches.errors import VendorFileFailedError, VendorFileOfOthersError
from services.core.devices.watches.queries import broker_logins
from services.core.devices.watches.rules import WatchRow
from services.core.devices.watches.tables import Watch
from services.core.office.registration import actions
from services.core.office.registration.vendor_file import VendorSecrets, read_vendor_file
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.crypto.broker_password import mosquitto_hash_fits
from services.core.platform.db.database import Database
from services.core.platform.spreadsheets.sheets import SheetRefusedError

Lists = Callable[..., list[WatchRow]]


class PowerCutError(Exception):
    """Stands for whatever ends the process between the file and the commit."""


def secrets_in(file: Path) -> dict[str, str]:
    with file.open(encoding="utf-8", newline="") as lines:
        return {row["serial"]: row["secret"] for row in csv.DictReader(lines)}


def offered(rows: list[WatchRow], **given: str) -> VendorSecrets:
    lines = "".join(f"{serial},{secret}\n" for serial, secret in given.items())
    return read_vendor_file(f"serial,secret\n{lines}".encode(), rows)


def names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


async def register_until_the_power_goes(database: Database, rows: list[WatchRow], file: Path) -> None:
    async with database.begin() as work:
        await actions.register_for_vendor(work, OPERATOR, rows, file)
        raise PowerCutError


async def register_for_vendor(database: Database, rows: list[WatchRow], file: Path) -> actions.Registration:
    async with database.begin() as work:
        return await actions.register_for_vendor(work, OPERATOR, rows, file)


async def register_offered(database: Database, rows: list[WatchRow], **given: str) -> actions.Registration:
    async with database.begin() as work:
        return await actions.register_with_vendor_secrets(work, OPERATOR, rows, offered(rows, **given))


async def kept(database: Database, *serials: str) -> dict[str, Watch]:
    async with database.begin() as work:
        watches = await work.session.exec(select(Watch).where(col(Watch.serial).in_(serials)))
        return {watch.serial: watch for watch in watches}


def codes(refused: pytest.ExceptionInfo[SheetRefusedError]) -> list[tuple[int, str, str]]:
    return [(fault.row, fault.column, fault.code) for fault in refused.value.faults]


async def test_the_vendors_file_opens_the_broker_and_the_database_keeps_hashes_only(
    database: Database, watch_list: Lists, tmp_path: Path
) -> None:
    file = tmp_path / "vendor.csv"
    outcome = await register_for_vendor(database, watch_list("AA01", "AA02"), file)
    assert outcome.registered == ["AA01", "AA02"]
    assert file.stat().st_mode & 0o777 == 0o600
    given = secrets_in(file)
    watches = await kept(database, "AA01", "AA02")
    for serial, secret in given.items():
        assert mosquitto_hash_fits(secret, watches[serial].factory_password_hash)
        assert secret not in repr(watches[serial])
    async with database.begin() as work:
        assert {"f-AA01", "f-AA02"} <= {login.username for login in await broker_logins(work)}
    assert names_in(tmp_path) == ["vendor.csv"]
    assert file.read_bytes().decode() == "serial,secret\n" + "".join(
        f"{serial},{given[serial]}\n" for serial in sorted(given)
    )


async def test_the_broker_is_told_of_new_watches(database: Database, watch_list: Lists, tmp_path: Path) -> None:
    async with database.listen(actions.BROKER_CHANNEL) as notifications:
        await register_for_vendor(database, watch_list("AB01"), tmp_path / "vendor.csv")
        assert await notifications.next(5) is not None
        await register_for_vendor(database, watch_list("AB01"), tmp_path / "vendor.csv")
        assert await notifications.next(0.2) is None


async def test_a_repeat_changes_nothing_and_writes_no_second_file(
    database: Database, watch_list: Lists, tmp_path: Path
) -> None:
    file, rows = tmp_path / "vendor.csv", watch_list("AC01", "AC02")
    await register_for_vendor(database, rows, file)
    before, hashes = file.read_bytes(), {s: w.factory_password_hash for s, w in (await kept(database, "AC01")).items()}
    assert (await register_for_vendor(database, rows, file)).unchanged == ["AC01", "AC02"]
    assert (await register_for_vendor(database, rows, tmp_path / "other.csv")).unchanged == ["AC01", "AC02"]
    assert file.read_bytes() == before
    assert not (tmp_path / "other.csv").exists()
    assert {s: w.factory_password_hash for s, w in (await kept(database, "AC01")).items()} == hashes


async def test_what_ends_before_the_commit_is_taken_up_with_the_same_secrets(
    database: Database, watch_list: Lists, tmp_path: Path
) -> None:
    file, rows = tmp_path / "vendor.csv", watch_list("AD01", "AD02")
    with pytest.raises(PowerCutError):
        await register_until_the_power_goes(database, rows, file)
    assert await kept(database, "AD01", "AD02") == {}
    before = secrets_in(file)
    assert (await register_for_vendor(database, rows, file)).registered == ["AD01", "AD02"]
    assert secrets_in(file) == before
    watches = await kept(database, "AD01", "AD02")
    assert all(mosquitto_hash_fits(secret, watches[serial].factory_password_hash) for serial, secret in before.items())


async def test_a_file_of_others_is_never_written_over(database: Database, watch_list: Lists, tmp_path: Path) -> None:
    file = tmp_path / "vendor.csv"
    await register_for_vendor(database, watch_list("AE01"), file)
    before = file.read_bytes()
    with pytest.raises(VendorFileOfOthersError):
        await register_for_vendor(database, watch_list("AE01", "AE02"), file)
    with pytest.raises(SheetRefusedError) as refused:
        await register_for_vendor(database, watch_list("AE02"), file)
    assert codes(refused) == [(2, "serial", "serial_unlisted")]
    file.write_text("my letters")
    with pytest.raises(SheetRefusedError):
        await register_for_vendor(database, watch_list("AE02"), file)
    assert file.read_text() == "my letters"
    file.write_bytes(before)
    assert list(await kept(database, "AE01", "AE02")) == ["AE01"]


@pytest.mark.parametrize("name", ["missing/vendor.csv", "."])
async def test_a_file_that_cannot_be_written_registers_nothing(
    database: Database, watch_list: Lists, tmp_path: Path, name: str
) -> None:
    with pytest.raises(VendorFileFailedError):
        await register_for_vendor(database, watch_list("AF01"), tmp_path / name)
    assert await kept(database, "AF01") == {}
    assert names_in(tmp_path) == []


async def test_two_operators_at_once_make_one_secret_a_watch(
    database: Database, watch_list: Lists, tmp_path: Path
) -> None:
    rows = watch_list("AG01", "AG02", "AG03")
    outcomes = await asyncio.gather(*(register_for_vendor(database, rows, tmp_path / f"{n}.csv") for n in range(4)))
    assert sorted(len(outcome.registered) for outcome in outcomes) == [0, 0, 0, 3]
    assert len(names_in(tmp_path)) == 1


async def test_a_vendors_secrets_are_registered_and_a_repeat_changes_nothing(
    database: Database, watch_list: Lists
) -> None:
    rows = watch_list("BA01", "BA02")
    given = {"BA01": secrets.token_hex(16), "BA02": secrets.token_urlsafe(32)}
    assert (await register_offered(database, rows, **given)).registered == ["BA01", "BA02"]
    assert (await register_offered(database, rows, **given)).unchanged == ["BA01", "BA02"]
    watches = await kept(database, *given)
    assert all(mosquitto_hash_fits(secret, watches[serial].factory_password_hash) for serial, secret in given.items())


async def test_secrets_that_are_missing_changed_or_of_another_watch_are_refused_together(
    database: Database, watch_list: Lists
) -> None:
    old, new = secrets.token_hex(16), secrets.token_hex(16)
    await register_offered(database, watch_list("BB01", "BB02"), BB01=old, BB02=new)
    with pytest.raises(SheetRefusedError) as refused:
        await register_offered(database, watch_list("BB01", "BB03", "BB04"), BB01=secrets.token_hex(16), BB03=new)
    assert codes(refused) == [
        (2, "serial", "secret_differs"),
        (3, "serial", "secret_reused"),
        (4, "serial", "secret_missing"),
    ]
    watches = await kept(database, "BB01", "BB03", "BB04")
    assert list(watches) == ["BB01"]
    assert mosquitto_hash_fits(old, watches["BB01"].factory_password_hash)


async def test_every_conflict_is_named_and_nothing_of_the_list_is_done(
    database: Database, watch_list: Lists, tmp_path: Path
) -> None:
    await register_for_vendor(
        database, watch_list("CA01", more="imei,iccid;860000000000009;89860000000000000001"), tmp_path / "1.csv"
    )
    rows = [
        *watch_list("CA01", site="Huizhou", more="imei;490154203237518"),
        *watch_list("CA02", more="imei,iccid;860000000000009;89860000000000000001"),
        *watch_list("CA03", site="Nowhere"),
    ]
    with pytest.raises(SheetRefusedError) as refused:
        await register_for_vendor(database, rows, tmp_path / "2.csv")
    assert codes(refused) == [
        (2, "iccid", "iccid_taken"),
        (2, "imei", "imei_differs"),
        (2, "imei", "imei_taken"),
        (2, "site", "site_differs"),
        (2, "site", "site_unknown"),
    ]
    assert list(await kept(database, "CA01", "CA02", "CA03")) == ["CA01"]
    assert not (tmp_path / "2.csv").exists()


async def test_what_is_learnt_of_a_sim_later_is_added_and_an_empty_cell_says_nothing(
    database: Database, watch_list: Lists, tmp_path: Path
) -> None:
    await register_for_vendor(database, watch_list("DA01"), tmp_path / "1.csv")
    more = "imei,iccid,sim_expires;356938035643809;89860000000000000077;2027-01-31"
    assert (await register_for_vendor(database, watch_list("DA01", more=more), tmp_path / "1.csv")).updated == ["DA01"]
    assert (await register_for_vendor(database, watch_list("DA01"), tmp_path / "1.csv")).unchanged == ["DA01"]
    watch = (await kept(database, "DA01"))["DA01"]
    assert (watch.imei, watch.iccid, str(watch.sim_expires_on)) == (
        "356938035643809",
        "89860000000000000077",
        "2027-01-31",
    )


async def test_a_dry_run_says_what_would_be_done_and_does_nothing(database: Database, watch_list: Lists) -> None:
    async with database.begin() as work:
        outcome = await actions.check_watch_list(work, watch_list("EA01"))
    assert outcome.registered == ["EA01"]
    assert await kept(database, "EA01") == {}
