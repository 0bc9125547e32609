"""Lists over HTTP: all or nothing, every fault by row and column, no doubling, and nothing of another site."""

from __future__ import annotations

import asyncio
import io
import json
import secrets
import zipfile
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import openpyxl
import pytest
import pytest_asyncio
from sqlalchemy import delete
from sqlmodel import col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from services.api.body_limits import LIST_BODY_MAX_BYTES
from services.api.staff import lists
from services.core.devices.watches.tables import SimMonth, Watch
from services.core.office.surveys.tables import SurveyAnswer
from services.core.people.households.tables import Enrolment, TrainingAttended
from services.core.people.programme.tables import StaffScope
from services.core.platform.audit.tables import AuditEntry
from services.core.platform.crypto.broker_password import mosquitto_hash_fits
from services.core.platform.db.database import Database
from services.core.platform.limits.rules import Limits
from services.core.platform.spreadsheets.sheets import check_unpacked_size
from tests.support.http import Place, fill_buckets, make_family, make_place, new_phone
from tests.support.staff_http import StaffMember, at_hand_out, family_code_of, make_staff
from tests.support.world import make_watch

CSV = {"Content-Type": "text/csv"}
XLSX = {"Content-Type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
NOTHING = {"taken": False, "new": 0, "changed": 0, "unchanged": 0, "watches_handed_out": 0}


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def _full_buckets(database: Database) -> None:
    """Each test begins with every limit unused."""
    await fill_buckets(database)


def workbook(*rows: Sequence[object]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


async def test_a_list_may_be_a_file_of_a_form_as_browsers_send_it(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    # A manager registers watches of the own site, and of no other.
    manager, elsewhere = await make_staff(client, database, place, "manager"), await make_place(database)
    listed = f"serial,model,secret\n{serial().lower()},sim-1,{secrets.token_hex(32)}\n"

    def path(of: Place) -> str:
        return f"/v1/staff/sites/{of.site.site_id}/imports/watches"

    imported = await manager.told("POST", path(place), files={"list": ("watches.csv", listed, "text/csv")})
    assert (imported["taken"], imported["new"], imported["faults"]) == (True, 1, [])
    assert await manager.refused("POST", path(elsewhere), content=listed, headers=CSV) == (404, "not_found")
    answer = await manager.ask("POST", path(place), files={"file": ("watches.csv", listed, "text/csv")})
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "form_field_missing", "list")
    broken = {"Content-Type": "multipart/form-data"}
    assert (await manager.ask("POST", path(place), content=listed, headers=broken)).status_code == 400


async def send(
    member: StaffMember, place: Place, kind: str, content: bytes | str, headers: dict[str, str] = CSV,
    *, dry_run: bool = False,
) -> dict[str, Any]:  # fmt: skip
    path = f"/v1/staff/sites/{place.site.site_id}/imports/{kind}"
    outcome: dict[str, Any] = await member.told(
        "POST", path, content=content, headers=headers, params={"dry_run": dry_run}
    )
    return outcome


def faults_of(outcome: dict[str, Any]) -> list[tuple[int, str, str]]:
    assert {name: outcome[name] for name in NOTHING} == NOTHING
    assert outcome["faults_in_all"] == len(outcome["faults"])
    return [(fault["row"], fault["column"], fault["code"]) for fault in outcome["faults"]]


def serial() -> str:
    return f"HT{secrets.token_hex(4).upper()}"


def family_code() -> str:
    return f"HT-{secrets.token_hex(3).upper()}7"


async def test_watches_are_registered_with_their_vendors_secrets_once_and_a_dry_run_leaves_nothing(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    admin = await make_staff(client, database, place, "admin")
    first, other, secret = serial(), serial(), secrets.token_urlsafe(32)
    listed = f"serial,model,secret,iccid\n{first},sim-1,{secret},\n{other},sim-1,{secrets.token_urlsafe(32)},\n"
    counts = {"new": 2, "changed": 0, "unchanged": 0, "watches_handed_out": 0, "faults_in_all": 0, "faults": []}

    async def kept() -> tuple[list[Watch], int]:
        async with database.begin() as work:
            watches = await work.session.exec(select(Watch).where(Watch.site_id == place.site.site_id))
            audits = await work.session.exec(
                select(func.count())
                .select_from(AuditEntry)
                .where(AuditEntry.actor_id == admin.staff_id, AuditEntry.action == "watch.registered")
            )
            return sorted(watches, key=lambda watch: watch.serial), audits.one()

    assert await send(admin, place, "watches", listed, dry_run=True) == {"taken": False, "dry_run": True, **counts}
    # Neither a watch nor a word in the log about one that never was.
    assert await kept() == ([], 0)

    outcome = await send(admin, place, "watches", listed)
    assert outcome == {"taken": True, "dry_run": False, **counts}
    watches, audits = await kept()
    assert [watch.serial for watch in watches] == sorted([first, other])
    assert audits == 2
    stored_watch = next(watch for watch in watches if watch.serial == first)
    assert mosquitto_hash_fits(secret, stored_watch.factory_password_hash)
    again = await send(admin, place, "watches", listed)
    assert (again["taken"], again["new"], again["unchanged"]) == (True, 0, 2)
    # A later list needs no secrets of watches that are there; a new one without is a fault.
    later = f"serial,model,iccid\n{first},sim-1,89860012345678901234\n"
    assert (await send(admin, place, "watches", later))["changed"] == 1
    fresh = serial()
    outcome = await send(admin, place, "watches", f"{later}{fresh},sim-1,\n")
    assert faults_of(outcome) == [(3, "serial", "secret_missing")]
    outcome = await send(admin, place, "watches", f"serial,model,secret,site\n{fresh},sim-1,{fresh}{fresh},Elsewhere\n")
    assert [(row, column) for row, column, _ in faults_of(outcome)] == [(2, "secret"), (2, "site")]
    assert fresh + fresh not in json.dumps(outcome)


async def test_families_come_as_a_workbook_with_their_watches_and_a_repeat_doubles_nothing(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    coordinator = await at_hand_out(await make_staff(client, database, place, "coordinator"), place)
    async with database.begin() as work:
        watch = (await make_watch(work, place.site.site_id, None))[0].serial
    first, second = family_code(), family_code()
    rows: list[list[object]] = [
        ["family_code", "phone", "cohort", "watch_serial"],
        [first, new_phone(), "Spring", watch], [second.lower(), new_phone(), "Spring", None],
    ]  # fmt: skip
    outcome = await send(coordinator, place, "families", workbook(*rows), XLSX)
    assert (outcome["taken"], outcome["new"], outcome["unchanged"], outcome["watches_handed_out"]) == (True, 2, 0, 1)
    outcome = await send(coordinator, place, "families", workbook(*rows), XLSX)
    assert (outcome["taken"], outcome["new"], outcome["unchanged"], outcome["watches_handed_out"]) == (True, 0, 2, 0)
    async with database.begin() as work:
        count = await work.session.exec(
            select(func.count()).select_from(Enrolment).where(Enrolment.site_id == place.site.site_id)
        )
        assert count.one() == 2


async def test_every_fault_is_told_by_row_and_column_and_nothing_of_the_list_is_taken(
    client: httpx.AsyncClient, database: Database
) -> None:
    place, elsewhere = await make_place(database), await make_place(database)
    coordinator = await at_hand_out(await make_staff(client, database, place, "coordinator"), place)
    stranger = await make_family(client, database, elsewhere)
    heading, good = "family_code,phone,cohort\n", f"{family_code()},{new_phone()},Spring\n"
    # Faults that the list alone shows are named in words ...
    outcome = await send(coordinator, place, "families", f"{heading}{good}NOCODE,,Spring\n")
    assert faults_of(outcome) == [(3, "family_code", "family_code_malformed"), (3, "phone", "phone_missing")]
    assert all(fault["sentence"] for fault in outcome["faults"])
    # ... and what comparing it shows as codes: a word could name a family elsewhere.
    wrong = (
        f"{family_code()},{stranger.phone},Spring\n{family_code()},12,Spring\n{family_code()},{new_phone()},Autumn\n"
    )
    outcome = await send(coordinator, place, "families", heading + good + wrong)
    assert faults_of(outcome) == [
        (3, "phone", "phone_enrolled"), (4, "phone", "phone_invalid"), (5, "cohort", "cohort_unknown"),
    ]  # fmt: skip
    assert {fault["sentence"] for fault in outcome["faults"]} == {None}
    assert await family_code_of(stranger) not in json.dumps(outcome)
    outcome = await send(coordinator, place, "families", "family_code,phone,cohort,child name\nA-1,1,Spring,Li\n")
    assert [code for _, _, code in faults_of(outcome)] == ["name_column", "phone_invalid"]
    async with database.begin() as work:
        enrolments = await work.session.exec(select(Enrolment).where(Enrolment.site_id == place.site.site_id))
        assert enrolments.first() is None


async def test_cards_and_trainings_are_noted_at_the_own_site_and_another_sites_do_not_exist(
    client: httpx.AsyncClient, database: Database
) -> None:
    place, elsewhere = await make_place(database), await make_place(database)
    coordinator = await at_hand_out(await make_staff(client, database, place, "coordinator"), place)
    family, stranger = await make_family(client, database, place), await make_family(client, database, elsewhere)
    async with database.begin() as work:
        mine, theirs = [(await make_watch(work, site.site.site_id, None))[0] for site in (place, elsewhere)]
    cards = "serial,quota_mb,month,used_mb\n{},100,2026-02,42\n"
    for counts in ((1, 0), (0, 1)):
        outcome = await send(coordinator, place, "sims", cards.format(mine.serial))
        assert (outcome["changed"], outcome["unchanged"]) == counts
    foreign, unknown = [
        faults_of(await send(coordinator, place, "sims", cards.format(serial)))
        for serial in (theirs.serial, "NONE0001")
    ]
    assert foreign == unknown == [(2, "serial", "watch_unknown")]
    attended = "family_code,training,attended_on\n{},watch,2026-02-01\n"
    for counts in ((1, 0), (0, 1)):
        outcome = await send(coordinator, place, "trainings", attended.format(await family_code_of(family)))
        assert (outcome["new"], outcome["unchanged"]) == counts
    foreign, unknown = [
        faults_of(await send(coordinator, place, "trainings", attended.format(family_code)))
        for family_code in (await family_code_of(stranger), "F-NONE1")
    ]
    assert foreign == unknown == [(2, "family_code", "family_unknown")]
    async with database.begin() as work:
        kept = await work.session.exec(
            select(SimMonth.watch_id).where(col(SimMonth.watch_id).in_([mine.watch_id, theirs.watch_id]))
        )
        assert set(kept) == {mine.watch_id}
        trainings = await work.session.exec(
            select(TrainingAttended).join(Enrolment).where(Enrolment.family_id == stranger.family_id)
        )
        assert trainings.first() is None


async def test_only_those_who_serve_the_site_and_may_send_it_a_list(
    client: httpx.AsyncClient, database: Database
) -> None:
    place, elsewhere = await make_place(database), await make_place(database)
    coordinator, factory = [await make_staff(client, database, place, role) for role in ("coordinator", "factory")]
    here, elsewhere_path = [f"/v1/staff/sites/{site.site.site_id}/imports" for site in (place, elsewhere)]
    options: dict[str, Any] = {"content": "serial\nHT000001\n", "headers": CSV}
    assert await coordinator.refused("POST", f"{here}/watches", **options) == (403, "permission_missing")
    assert await factory.refused("POST", f"{here}/sims", **options) == (403, "permission_missing")
    assert await coordinator.refused("POST", f"{elsewhere_path}/sims", **options) == (404, "not_found")


async def _kept_by(database: Database, place: Place) -> dict[str, int]:
    """Return how many rows of each kind of list the site has."""
    site_id = place.site.site_id
    rows: dict[str, SelectOfScalar[Any]] = {
        "watches": select(Watch.watch_id).where(Watch.site_id == site_id),
        "families": select(Enrolment.enrolment_id).where(Enrolment.site_id == site_id),
        "sims": select(SimMonth.watch_id).join(Watch).where(Watch.site_id == site_id),
        "trainings": select(TrainingAttended.training).join(Enrolment).where(Enrolment.site_id == site_id),
        "answers": select(SurveyAnswer.question)
        .join(Enrolment, col(Enrolment.family_id) == col(SurveyAnswer.family_id))
        .where(Enrolment.site_id == site_id),
    }
    async with database.begin() as work:
        return {kind: len((await work.session.exec(statement)).all()) for kind, statement in rows.items()}


@pytest.mark.parametrize("kind", ["watches", "families", "sims", "trainings", "answers"])
async def test_a_list_whose_sender_lost_the_site_while_it_was_parsed_is_not_written(
    client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    place = await make_place(database)
    admin = await make_staff(client, database, place, "admin", programme=True)
    family = await make_family(client, database, place)
    await family.consent("measurement")
    code = await family_code_of(family)
    async with database.begin() as work:
        watch = (await make_watch(work, place.site.site_id, None))[0].serial
    site = f"/v1/staff/sites/{place.site.site_id}"
    survey = await admin.told(
        "POST", f"/v1/staff/programmes/{place.site.programme_id}/surveys",
        json={"name": "2026", "questions": [{"question": "stay", "kind": "yes_no", "label": "Do you stay?"}]},
    )  # fmt: skip
    path = f"{site}/surveys/{survey['survey_id']}/answers" if kind == "answers" else f"{site}/imports/{kind}"
    listed = {
        "watches": f"serial,model,secret\n{serial()},sim-1,{secrets.token_urlsafe(32)}\n",
        "families": f"family_code,phone,cohort\n{family_code()},{new_phone()},Spring\n",
        "sims": f"serial,month,used_mb\n{watch},2026-02,42\n",
        "trainings": f"family_code,training,attended_on\n{code},watch,2026-02-01\n",
        "answers": f"family_code,wave,stay\n{code},baseline,yes\n",
    }[kind].encode()
    before = await _kept_by(database, place)

    loop = asyncio.get_running_loop()

    async def end_scope() -> None:
        async with database.begin() as work:
            await work.run(delete(StaffScope).where(col(StaffScope.staff_id) == admin.staff.staff_id))

    def end_scope_then_check(raw: bytes, most_bytes: int) -> None:
        # The first step of parsing, in a thread of its own; access was decided before.
        asyncio.run_coroutine_threadsafe(end_scope(), loop).result(timeout=60)
        check_unpacked_size(raw, most_bytes)

    with monkeypatch.context() as parsing:
        parsing.setattr(lists, "check_unpacked_size", end_scope_then_check)
        assert await admin.refused("POST", path, content=listed, headers=CSV) == (404, "not_found")
    assert await _kept_by(database, place) == before

    # The same list is written for a sender whose scope stays.
    other = await make_staff(client, database, place, "admin", programme=True)
    assert (await other.told("POST", path, content=listed, headers=CSV))["taken"]
    after = await _kept_by(database, place)
    assert after == before | {kind: before[kind] + 1}


async def test_what_is_no_list_is_refused_before_it_costs_anything(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    coordinator = await at_hand_out(await make_staff(client, database, place, "coordinator"), place)
    path = f"/v1/staff/sites/{place.site.site_id}/imports/sims"
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 13_000_000)
    for content, code in (
        (bomb.getvalue(), "file_too_large"), (b"PK\x03\x04" + b"\x00" * 60, "not_workbook"), (b"", "file_empty"),
        (b"\xff\xfea", "not_utf8"), (b"serial\n", "no_rows"), (b"\x00", "not_csv"),
    ):  # fmt: skip
        assert [fault[2] for fault in faults_of(await send(coordinator, place, "sims", content))] == [code]
    for headers in ({"Content-Type": "application/json"}, {**CSV, "Content-Encoding": "gzip"}):
        refused = await coordinator.refused("POST", path, content=b"serial\n", headers=headers)
        assert refused == (415, "media_type_not_supported")
    sent_parts = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent_parts
        while True:
            sent_parts += 1
            assert sent_parts * 65536 < 2 * LIST_BODY_MAX_BYTES, "it went on reading"
            yield b"1" * 65536

    assert await coordinator.refused("POST", path, content=endless(), headers=CSV) == (413, "too_large")
    # A list is a list in no other place.
    assert await coordinator.refused("POST", path.replace("imports/sims", "trainings"), content=b"a", headers=CSV) == (
        415, "media_type_not_supported",
    )  # fmt: skip


async def test_lists_are_limited_for_each_of_staff(client: httpx.AsyncClient, database: Database) -> None:
    place = await make_place(database)
    first, other = [await make_staff(client, database, place, "coordinator") for _ in range(2)]
    for _ in range(Limits.LISTS_OF_STAFF.value.burst):
        await send(first, place, "sims", b"")
    path = f"/v1/staff/sites/{place.site.site_id}/imports/sims"
    answer = await first.ask("POST", path, content=b"", headers=CSV)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
    assert int(answer.headers["retry-after"]) > 0
    await send(other, place, "sims", b"")
