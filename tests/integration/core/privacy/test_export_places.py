"""Places in an export: what this guardian may look at, whole; for others not a trace of them."""

from __future__ import annotations

import csv
import io
import json
import uuid
import zipfile
from datetime import timedelta
from typing import Any

import httpx
import jsonschema
import pytest
import pytest_asyncio

from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.devices.alerts.actions import NewAlert, raise_alert
from services.core.location.checkins.sealing import Place
from services.core.location.checkins.sos_places import SosPosition, store_sos_place
from services.core.location.geometry import Point
from services.core.platform.db.database import Database
from services.core.privacy.copies import own_places
from services.core.privacy.copies.archive import build_one_export
from tests.support.clock import FakeClock
from tests.support.http import Parent, make_family, make_place, pair
from tests.support.places import HOME, away, circle, may_look, sent
from tests.support.uplinks import receive_fixes
from tests.support.world import LONG_AGO

SOS_AT = Point(23.0277, 113.7533)


@pytest_asyncio.fixture(loop_scope="session")
async def mother(client: httpx.AsyncClient, database: Database, clock: FakeClock) -> Parent:
    """Of whose child five places, a zone and an SOS with its place are kept."""
    place = await make_place(database)
    mother = await make_family(client, database, place)
    await may_look(mother)
    await mother.consent("sos_places")
    identity = await pair(mother, place, since=LONG_AGO)
    await mother.told("POST", f"{mother.child}/zones", json={"name": "CanarySchool", "shape": circle()})
    async with database.begin() as work:
        fixes = [
            sent(identity.username, clock.now - timedelta(minutes=10 * back), away(30 * back, 0), source=source)
            for back, source in enumerate(("gps", "wifi", "=1+1", "cell", None))
        ]
        await receive_fixes(work, fixes)
        raised = NewAlert(uuid.UUID(mother.child_id), uuid.UUID(str(mother.family_id)), "sos")
        alert = await raise_alert(work, raised)
        await store_sos_place(work, alert, SosPosition(Place(SOS_AT), 18.0, "gps", work.now))
    return mother


async def _export(parent: Parent, transcoder: Transcoder) -> tuple[dict[str, Any], dict[str, bytes]]:
    export = await parent.told("POST", f"{parent.family}/exports")
    while await build_one_export(transcoder):
        pass
    answer = await parent.ask("GET", f"{parent.family}/exports/{export['export_id']}/file")
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    document = json.loads(files["export.json"])
    jsonschema.validate(document, json.loads(files["export.schema.json"]), jsonschema.Draft202012Validator)
    [child] = document["children"]
    return child, files


async def test_who_may_look_gets_every_place_as_csv_and_the_zones_and_the_place_of_an_sos(
    mother: Parent, transcoder: Transcoder, clock: FakeClock
) -> None:
    child, files = await _export(mother, transcoder)
    assert child["checkins"] == f"checkins/{mother.child_id}.csv"
    rows = list(csv.DictReader(io.StringIO(files[child["checkins"]].decode())))
    assert len(rows) == 5
    assert [row["happened_at"] for row in rows] == sorted(row["happened_at"] for row in rows)
    last = rows[-1]
    assert (float(last["lat"]), float(last["lon"]), last["source"], last["quality"]) == (
        HOME.lat, HOME.lon, "gps", "good",
    )  # fmt: skip
    assert [row["source"] for row in rows] == ["", "cell", "", "wifi", "gps"]
    assert child["places_with"] == []
    assert "CanarySchool" in files["index.html"].decode()
    [zone] = child["zones"]
    assert (zone["name"], zone["shape"]["kind"]) == ("CanarySchool", "circle")
    [alert] = child["alerts"]
    assert (alert["kind"], alert["place"]["lat"], alert["place"]["lon"]) == ("sos", SOS_AT.lat, SOS_AT.lon)
    # It is a look like any other.
    clock.advance(seconds=1)
    entries = (await mother.told("GET", f"{mother.family}/audit"))["entries"]
    looks = [entry for entry in entries if entry["action"] == "place"]
    assert looks
    assert {(look["guardian_id"], look["subject_id"]) for look in looks} == {(mother.guardian_id, mother.child_id)}


async def test_who_may_not_look_gets_no_trace_of_a_place(mother: Parent, transcoder: Transcoder) -> None:
    # The rights without the consents, then the consents without the rights.
    for rights, parts in (({"may_locate": True, "may_manage": True}, ()), ({}, ("location", "sos_places"))):
        aunt = await mother.invite(**rights)
        for part in parts:
            await aunt.consent(part)
        child, files = await _export(aunt, transcoder)
        assert (child["checkins"], child["zones"]) == (None, [])
        assert [(alert["kind"], alert["place"]) for alert in child["alerts"]] == [("sos", None)]
        # The copy of who may look is named instead.
        assert (child["passages"], child["places_with"]) == ([], [mother.guardian_id])
        assert set(files) == {"index.html", "export.json", "export.schema.json"}
        whole = b"".join(files.values())
        assert not [word for word in (b"CanarySchool", b"23.02", b"113.75") if word in whole]


async def test_places_that_the_first_guardian_may_not_see_are_offered_to_whoever_may(
    mother: Parent, transcoder: Transcoder
) -> None:
    async def shared(parent: Parent) -> tuple[list[str], bool]:
        exports = await parent.told("GET", f"{parent.family}/exports")
        return exports["places_with"], exports["places_offered"]

    aunt = await mother.invite(may_locate=True)
    uncle = await mother.invite()
    assert await shared(aunt) == ([mother.guardian_id], False)
    await aunt.consent("location")
    assert await shared(aunt) == await shared(mother) == ([], False)
    # The first guardian takes the own consent back: from then on only the aunt's copy holds the places.
    await mother.told("POST", f"{mother.family}/consents/withdraw", json={"part": "location"})
    assert await shared(aunt) == ([], True)
    assert await shared(mother) == await shared(uncle) == ([aunt.guardian_id], False)
    child, files = await _export(mother, transcoder)
    assert (child["checkins"], child["places_with"]) == (None, [aunt.guardian_id])
    assert f"checkins/{mother.child_id}.csv" not in files
    child, files = await _export(aunt, transcoder)
    assert f"checkins/{mother.child_id}.csv" in files


async def test_page_by_page_no_place_is_lost_and_none_comes_twice(
    mother: Parent, transcoder: Transcoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_places, "_PAGE_ROWS", 2)
    child, files = await _export(mother, transcoder)
    rows = list(csv.DictReader(io.StringIO(files[child["checkins"]].decode())))
    assert len({row["happened_at"] for row in rows}) == len(rows) == 5
