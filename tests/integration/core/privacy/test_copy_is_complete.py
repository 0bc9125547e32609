"""The copy is complete: each table with a person in it is in the copy, or on the list of those left out, with a reason.

A new table with a family, a child or a guardian in it fails here until it is on one of the two lists.
"""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from typing import Any, Final

import httpx
from sqlalchemy import Table, update
from sqlmodel import SQLModel, col

from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.devices.alerts.actions import NewAlert, raise_alert
from services.core.devices.alerts.tables import AlertAnswer, AlertCall
from services.core.location.checkins.sealing import Place as SealedPlace
from services.core.location.checkins.sos_places import SosPosition, store_sos_place
from services.core.location.checkins.tables import ZonePassage
from services.core.people.households.tables import BreakGlass
from services.core.platform.db.all_tables import load_all_tables
from services.core.platform.db.database import Database
from services.core.privacy.copies.archive import build_one_export
from services.core.privacy.copies.coverage import COPIED, LEFT_OUT, SECTIONS
from services.core.privacy.copies.records.sections import tables_of
from services.core.privacy.tables import Erasure
from tests.support.clock import FakeClock
from tests.support.filled_tables import Known, fill_table
from tests.support.http import Parent, Place, make_family, make_place, pair
from tests.support.places import HOME, circle, may_look, sent
from tests.support.sounds import encoded
from tests.support.uplinks import receive_fixes
from tests.support.world import LONG_AGO

# By these names, a table without a foreign key has a person in it as well.
_PERSONAL: Final = {"family_id", "child_id", "guardian_id", "username", "phone"}
# People who work for the programme.
_STAFF: Final = {"staff", "staff_request"}
# Rows of these refer to them.
_NEEDED: Final = {"programme", "staff", "hand_out", "survey", "survey_question"}


def _personal_tables() -> set[str]:
    """Return every table with a family, child or guardian in it, also by way of another one."""
    tables = [table for table in SQLModel.metadata.sorted_tables if table.name not in _STAFF]
    personal = {"outbox"} | {table.name for table in tables if _PERSONAL & set(table.c.keys())}
    while more := {table.name for table in tables if table.name not in personal and _refers(table, personal)}:
        personal |= more
    return personal


def _refers(table: Table, personal: set[str]) -> bool:
    return any(key.column.table.name in personal for key in table.foreign_keys)


def test_each_table_with_a_family_in_it_is_copied_or_left_out_with_a_reason() -> None:
    load_all_tables()
    listed = COPIED.keys() | LEFT_OUT.keys() | tables_of(SECTIONS)
    assert _personal_tables() == set(listed)


async def test_with_a_row_in_every_table_each_part_of_the_copy_holds_something(
    client: httpx.AsyncClient, database: Database, transcoder: Transcoder, clock: FakeClock
) -> None:
    load_all_tables()
    place = await make_place(database)
    mother = await make_family(client, database, place)
    known = await _live_a_day(mother, place, database, clock)
    async with database.begin() as work:
        for table in SQLModel.metadata.sorted_tables:
            if table.name in tables_of(SECTIONS) or table.name in _NEEDED:
                await fill_table(work, table, known)
        # The guardian has been told of it: until then it is in no copy.
        await work.run(update(BreakGlass).where(col(BreakGlass.family_id) == mother.family_id).values(told_at=work.now))

    document = await _copy_of(mother, transcoder)

    assert [pointer for pointer in COPIED.values() if not _holds(document, pointer.strip("/").split("/"))] == []
    assert [name for name, rows in document["records"].items() if not rows] == []
    assert {omitted["table"]: omitted["reason"] for omitted in document["left_out"]} == LEFT_OUT

    # Another guardian gets nothing that is the first one's alone.
    aunt = await mother.invite()
    others = (await _copy_of(aunt, transcoder))["records"]
    assert [section.name for section in SECTIONS if section.of_primary and others[section.name]] == []
    [enrolment] = others["enrolments"]
    assert (enrolment["guardian_phone"], enrolment["form_number"]) == (None, None)
    assert [invitation["phone"] for invitation in others["invitations"]] == [aunt.phone]
    assert mother.phone not in json.dumps(others)


async def _live_a_day(mother: Parent, place: Place, database: Database, clock: FakeClock) -> Known:
    """Let happen what made-up rows cannot stand for: sealed content, and words that the album reads."""
    await may_look(mother)
    for part in ("sos_places", "measurement"):
        await mother.consent(part)
    identity = await pair(mother, place, since=LONG_AGO)
    spoken = await mother.speak(encoded("amr-nb", 1.0))
    await mother.told("PUT", f"{mother.child}/messages/{spoken['message_id']}/kept", json={"kept": True})
    zone = await mother.told("POST", f"{mother.child}/zones", json={"name": "School", "shape": circle()})
    contact = await mother.add_contact(name="Grandma")
    await mother.told(
        "PUT", f"{mother.child}/contacts/{contact['contact_id']}/lives-with-child",
        json={"agreed": True, "how": "spoken", "witness": "Li"},
    )  # fmt: skip
    child_id, family_id, guardian_id = (
        uuid.UUID(str(value)) for value in (mother.child_id, mother.family_id, mother.guardian_id)
    )
    async with database.begin() as work:
        await receive_fixes(work, [sent(identity.username, clock.now, HOME)])
        alert = await raise_alert(work, NewAlert(child_id, family_id, "sos"))
        await store_sos_place(work, alert, SosPosition(SealedPlace(HOME), 18.0, "gps", work.now))
        call = AlertCall(alert_id=alert.alert_id, round_no=1, guardian_id=guardian_id, called_at=work.now)
        answer = AlertAnswer(
            alert_id=alert.alert_id, guardian_id=guardian_id, answer="take_care", tapped_at=work.now,
            answered_at=work.now,
        )  # fmt: skip
        passage = ZonePassage(
            zone_id=uuid.UUID(zone["zone_id"]), child_id=child_id, kind="entered", happened_at=work.now,
            received_at=work.now,
        )  # fmt: skip
        # Of a sister whose data was erased before.
        erasure = Erasure(what="child", subject_id=uuid.uuid4(), family_id=family_id, asked_at=work.now)
        work.add(call, answer, passage, erasure)
    ids = {"family": family_id, "child": child_id, "guardian": guardian_id}
    known: Known = {(name, f"{name}_id"): value for name, value in ids.items()}
    for row in (place.site, place.cohort, identity):
        known |= {(str(row.__class__.__tablename__), column): value for column, value in row.model_dump().items()}
    return known


async def _copy_of(parent: Parent, transcoder: Transcoder) -> dict[str, Any]:
    export = await parent.told("POST", f"{parent.family}/exports")
    while await build_one_export(transcoder):
        pass
    answer = await parent.ask("GET", f"{parent.family}/exports/{export['export_id']}/file")
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        document: dict[str, Any] = json.loads(archive.read("export.json"))
    return document


def _holds(part: Any, path: list[str]) -> bool:
    """Return whether anything stands at the path; * is any element of a list."""
    if not path:
        return bool(part)
    if path[0] == "*":
        return any(_holds(element, path[1:]) for element in part)
    return part is not None and _holds(part[path[0]], path[1:])
