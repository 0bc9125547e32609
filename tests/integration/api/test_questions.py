"""Questions to a guardian and their days: an employer stands beside the parent on the hand-out day."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from services.core.devices.watches.queries import settings_of_child
from services.core.people.consents.rules import child_texts, consent_texts
from services.core.platform.db.database import Database
from services.core.platform.locales import LOCALES
from tests.support.clock import FakeClock
from tests.support.http import Parent, fill_buckets, make_family, make_parent, make_place

SHANGHAI = ZoneInfo("Asia/Shanghai")


async def _asked(parent: Parent) -> dict[str, Any] | None:
    question: dict[str, Any] | None = (await parent.told("GET", f"{parent.family}/question"))["question"]
    return question


async def _not_now(parent: Parent, **question: Any) -> None:
    await parent.told("POST", f"{parent.family}/question/not-now", json=question)


async def _subject(parent: Parent) -> str | None:
    question = await _asked(parent)
    return None if question is None else str(question["subject"])


async def _until(parent: Parent, clock: FakeClock, at: datetime) -> None:
    clock.now = at
    await fill_buckets(parent.database)
    await parent.log_in()


async def test_messages_alone_on_the_first_day_and_then_one_question_a_day(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    # Half past eleven at night in Shanghai: the day there is what counts, in UTC it is still the afternoon.
    first_day = clock.now.astimezone(SHANGHAI).replace(hour=23, minute=30, second=0, microsecond=0)
    clock.now = first_day + timedelta(days=1)
    first_day = clock.now
    parent = await make_parent(client, database, await make_place(database))
    question = await _asked(parent)
    assert question is not None
    assert (question["subject"], question["is_newer"], question["text_version"]) == ("messages", False, "1")
    assert "(fictional)" in question["notice"]["text"]
    # Without this consent nothing works, so that "not now" is asked again at the next opening.
    await _not_now(parent, subject="messages")
    assert await _subject(parent) == "messages"
    await parent.consent()
    assert await _asked(parent) is None
    await _until(parent, clock, first_day + timedelta(minutes=29))
    assert await _asked(parent) is None

    await _until(parent, clock, first_day + timedelta(minutes=31))
    question = await _asked(parent)
    assert question is not None
    assert (question["subject"], question["notice"]) == ("location", None)
    assert question["text"] == consent_texts()["location", "en"].text  # type: ignore[index]
    await _not_now(parent, subject="location")
    assert await _asked(parent) is None, "one question a day"
    await _until(parent, clock, first_day + timedelta(days=1, hours=1))
    assert await _subject(parent) == "sos_places"
    await parent.consent("sos_places")
    assert await _asked(parent) is None
    await _until(parent, clock, first_day + timedelta(days=2, hours=1))
    assert await _subject(parent) == "measurement"
    await parent.consent("measurement")
    await parent.told("POST", f"{parent.family}/consents/withdraw", json={"part": "measurement"})
    await _until(parent, clock, first_day + timedelta(days=29))
    assert await _asked(parent) is None, "what was taken back is not asked away"
    await _until(parent, clock, first_day + timedelta(days=31))
    assert await _subject(parent) == "location"


async def test_an_agreement_on_the_first_day_is_not_refused_to_the_one_who_wants_it(
    client: httpx.AsyncClient, database: Database
) -> None:
    parent = await make_family(client, database)
    assert await _asked(parent) is None
    await parent.consent("location")
    await parent.told("PATCH", f"{parent.child}/watch-settings", json={"location": True})


async def test_each_guardian_is_asked_what_their_rights_can_use(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite(may_locate=True)
    uncle = await mother.invite()
    await _until(aunt, clock, clock.now + timedelta(days=1))
    await uncle.log_in()
    assert await _subject(aunt) == "location"
    assert await _asked(uncle) is None
    stranger = await make_family(client, database)
    assert await stranger.refused("GET", f"{mother.family}/question") == (404, "not_found")
    wrong = {"subject": "childs_word", "child_id": mother.child_id}
    path = f"{stranger.family}/question/not-now"
    assert await stranger.refused("POST", path, json=wrong) == (404, "not_found")
    for body in ({"subject": "childs_word"}, {"subject": "location", "child_id": mother.child_id}):
        assert await stranger.refused("POST", path, json=body) == (422, "question_child_wrong")


async def _location_is_on(parent: Parent) -> bool:
    async with parent.database.begin() as work:
        return (await settings_of_child(work, uuid.UUID(parent.child_id))).location


async def test_the_childs_own_word_is_asked_with_a_text_for_children_and_a_no_ends_location_at_once(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    mother = await make_family(client, database, await make_place(database))
    aunt = await mother.invite(may_locate=True)
    born = f"{clock.now.year - 15}-01-01"
    await mother.told("PATCH", mother.child, json={"birth_date": born})
    await mother.consent("location")
    await mother.told("PATCH", f"{mother.child}/watch-settings", json={"location": True})
    await _until(mother, clock, clock.now + timedelta(days=1))
    question = await _asked(mother)
    assert question is not None
    assert (question["subject"], question["child_id"]) == ("childs_word", mother.child_id)
    assert question["text"] == child_texts()["en"].text
    assert len({child_texts()[locale].text for locale in LOCALES}) == len(LOCALES)
    await aunt.log_in()
    assert await _subject(aunt) == "location", "only who may record the word is asked for it"

    agreement = f"{mother.child}/agreement"
    assert await mother.refused("POST", agreement, json={"text_version": "0"}) == (409, "consent_text_unknown")
    body = {"agreed": False, "text_version": question["text_version"]}
    assert await _location_is_on(mother)
    first = await mother.told("POST", agreement, json=body)
    assert (first["agreed"], first["text_version"]) == (False, question["text_version"])
    assert not await _location_is_on(mother)
    assert (await mother.told("POST", agreement, json=body))["agreement_id"] == first["agreement_id"]
    settings = f"{mother.child}/watch-settings"
    assert await mother.refused("PATCH", settings, json={"location": True}) == (409, "child_refused")
    # A no is an answer: nobody is asked again, and only the child's own yes opens it.
    await _until(mother, clock, clock.now + timedelta(days=31))
    assert await _subject(mother) == "sos_places"
    await mother.told("POST", agreement, json={"agreed": True, "text_version": question["text_version"]})
    await mother.told("PATCH", settings, json={"location": True})
    # And a later no ends it again.
    assert (await mother.told("POST", agreement, json=body))["agreement_id"] != first["agreement_id"]
    assert not await _location_is_on(mother)
