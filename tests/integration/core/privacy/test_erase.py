"""Erased is gone: for access at once, for everything soon, and again after a backup came back."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import httpx
import pytest
from sqlmodel import col, select

from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.people.households.child_key import data_key
from services.core.people.households.tables import Child
from services.core.platform.blobs.actions import sweep_one
from services.core.platform.blobs.tables import Blob
from services.core.platform.crypto.vault import SealBrokenError
from services.core.platform.db.database import Database
from services.core.platform.erasure_ledger import ErasureLedger
from services.core.platform.settings import Settings
from services.core.privacy.erasure.actions import erase_child
from services.core.privacy.erasure.removal import remove_one_erased
from tests.support.canary import rows_with
from tests.support.clock import FakeClock
from tests.support.http import Parent, make_family, make_place, pair, sms_to
from tests.support.sounds import encoded

SOUND = encoded("amr-nb", 1.0)


async def _erase(parent: Parent, path: str) -> dict[str, str]:
    answer: dict[str, str] = await parent.told("DELETE", path, params={"confirm": "erase"})
    return answer


async def test_a_child_is_erased_with_all_that_is_about_it_and_the_family_goes_on(
    client: httpx.AsyncClient, database: Database, settings: Settings, transcoder: Transcoder
) -> None:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    aunt = await mother.invite()
    await mother.told("PATCH", mother.child, json={"name": "CanaryMei", "birth_date": "2016-05-04"})
    identity = await pair(mother, place)
    await mother.speak(SOUND)
    await mother.send("canary text")
    await mother.add_contact(name="CanaryTeacher", number="+8613900246813")
    await mother.told(
        "POST",
        f"{mother.child}/uploads",
        json={"bytes": 5000, "sha256": "0" * 64},
        headers={"Idempotency-Key": "upload-1"},
    )
    erased_id = mother.child_id
    async with database.begin() as work:
        blobs = await work.session.exec(select(Blob.blob_id).where(col(Blob.child_id) == uuid.UUID(erased_id)))
        files = [Path(settings.blob_url.removeprefix("file:")) / blob.hex[:2] / blob.hex for blob in blobs.all()]
    assert files
    assert all(file.exists() for file in files)
    other_id = await mother.add_child("Lin")
    mother.child_id = erased_id

    erased = await _erase(mother, mother.child)

    assert erased["rows_gone_at"]
    assert erased["watch_copy"] == "not_confirmed"
    for path in (mother.child, f"{mother.child}/messages", f"{mother.child}/contacts"):
        assert await mother.refused("GET", path) == (404, "not_found")
    for canary in ("CanaryMei", "CanaryTeacher", "13900246813", "canary text"):
        assert await rows_with(database, canary) == []
    # Rows that keep its id: the log, the ledger, the erasure's progress, the watch's order to forget, the event.
    assert set(await rows_with(database, erased_id)) == {"audit", "erasure", "erasure_ledger", "wipe_order", "event"}
    assert set(await rows_with(database, identity.username)) == {"audit", "wipe_order"}
    while await sweep_one(database, transcoder.blobs):
        pass
    assert not any(file.exists() for file in files)
    # The others are told, without a word about whom.
    assert (await sms_to(database, aunt.phone))[-1] == (
        "SmartWatch: the data about a child of your family has been erased."
    )
    assert (await aunt.told("GET", f"{aunt.family}/erasures"))["erasures"] == [erased]
    mother.child_id = other_id
    assert (await mother.send("and you?"))["text"] == "and you?"
    assert (await mother.told("GET", f"{mother.family}/audit"))["entries"][0]["action"] == "child.erased"


async def test_only_the_first_guardian_erases_and_only_with_the_word_and_also_after_consent_was_taken_back(
    client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite(may_manage=True)
    for path in (aunt.child, aunt.family):
        assert await aunt.refused("DELETE", path, params={"confirm": "erase"}) == (403, "primary_only")
        for word in ({}, {"confirm": "yes"}):
            assert await mother.refused("DELETE", path, params=word) == (422, "confirmation_missing")
    assert (await mother.told("GET", mother.child))["name"] == "Mei"
    await mother.told("POST", f"{mother.family}/consents/withdraw", json={"part": "messages"})
    assert (await _erase(mother, mother.child))["watch_copy"] == "none"
    assert await mother.refused("DELETE", mother.child, params={"confirm": "erase"}) == (404, "not_found")


async def test_the_key_goes_first_and_what_a_crash_leaves_is_taken_up(
    client: httpx.AsyncClient, database: Database, settings: Settings
) -> None:
    mother = await make_family(client, database)
    await mother.send("canary of a crash")
    child_id = uuid.UUID(mother.child_id)
    # Only the first of the two transactions: then the process was killed.
    async with database.begin() as work:
        await erase_child(work, ErasureLedger(settings.erasure_ledger), child_id, uuid.UUID(mother.guardian_id))
    async with database.begin() as work:
        child = await work.session.get_one(Child, child_id)
        assert child.name == ""
        with pytest.raises(SealBrokenError):
            data_key(work, child)
    assert await mother.refused("GET", f"{mother.child}/messages") == (404, "not_found")
    assert (await mother.told("GET", f"{mother.family}/children"))["children"] == []
    async with database.begin() as work:
        assert await remove_one_erased(work)
    async with database.begin() as work:
        assert not await remove_one_erased(work)
        assert await work.session.get(Child, child_id) is None


async def test_a_family_is_erased_with_the_accounts_that_serve_no_other(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    await pair(mother, place)
    await mother.told("PATCH", "/v1/me", json={"display_name": "CanaryMama"})
    await mother.speak(SOUND)
    aunt = await mother.invite()
    uncle = await make_family(client, database)
    invited = await mother.told(
        "POST", f"{mother.family}/invitations", json={"phone": uncle.phone, "relation": "uncle"}
    )
    await uncle.told(
        "POST", f"/v1/invitations/{invited['invitation_id']}/accept",
        json={"part": "messages", "text_version": "1", "locale": "en"},
    )  # fmt: skip
    clock.advance(minutes=1)

    erased = await _erase(mother, mother.family)

    assert (erased["what"], erased["watch_copy"]) == ("family", "not_confirmed")
    for gone in (mother, aunt):
        assert await gone.refused("GET", "/v1/me") == (401, "session_ended")
        assert await rows_with(database, gone.phone) == []
    assert await rows_with(database, "CanaryMama") == []
    assert set(await rows_with(database, str(mother.family_id))) == {
        "audit", "audit_chain", "erasure", "erasure_ledger", "wipe_order",
    }  # fmt: skip
    # A guardian in another family keeps that membership.
    assert [family["family_id"] for family in (await uncle.told("GET", "/v1/me"))["families"]] == [str(uncle.family_id)]
    assert (await sms_to(database, uncle.phone))[-1].endswith("has been erased.")
    # And nobody comes back in through the enrolment of before.
    answer = await client.post("/v1/auth/codes", json={"phone": mother.phone, "locale": "en"})
    assert answer.status_code == 202
    assert [text for text in await sms_to(database, mother.phone) if "erased" not in text] == []


async def test_two_erasures_of_one_child_at_once_are_one(client: httpx.AsyncClient, database: Database) -> None:
    mother = await make_family(client, database)
    answers = await asyncio.gather(*(mother.ask("DELETE", mother.child, params={"confirm": "erase"}) for _ in range(3)))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200, 404, 404]
    assert len((await mother.told("GET", f"{mother.family}/erasures"))["erasures"]) == 1
