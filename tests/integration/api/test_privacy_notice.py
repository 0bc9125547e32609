"""Privacy notice of a site: stated by the operator, read before the first consent, required in production."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from services.core.office.enrolment.actions import FamilyRow, check_families
from services.core.people.consents.rules import ConsentText, Part, consent_texts
from services.core.people.privacy_notices.actions import state_notice
from services.core.people.privacy_notices.rules import (
    FICTIONAL,
    NoticeDetails,
    Processor,
    missing_fields,
    notice_text,
    required_fields,
)
from services.core.people.privacy_notices.tables import PrivacyNotice
from services.core.people.programme.queries import programme_of
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.db.database import Database
from services.core.platform.locales import LOCALES
from services.core.platform.settings import Environment, Settings
from services.devstack.doctor import privacy_notices
from tests.support.http import TEXT_VERSION, Parent, Place, make_family, make_parent, make_place, new_phone
from tests.support.staff_http import make_staff

STATED = NoticeDetails(
    controller_name="WeCare Dongguan", controller_address="7 Hill Road, Dongguan", controller_contact="+86 769 1234567",
    authority_name="Cyberspace Administration", authority_contact="12377.cn", officer_name="Lin Fang",
    officer_contact="lin@wecare.example", processors=(Processor("Texts Ltd", "CN", "text messages"),),
    filing_number="CN-2026-017",
)  # fmt: skip
CONSENT = {"part": "messages", "text_version": TEXT_VERSION, "locale": "en"}


def _body(details: NoticeDetails = STATED, **changes: object) -> dict[str, Any]:
    return {**dataclasses.asdict(details), **changes}


@pytest.fixture
def production(database: Database) -> Iterator[Database]:
    """The database as a process of a production deployment opens it."""
    database.is_production = True
    yield database
    database.is_production = False


async def _state(database: Database, place: Place, details: NoticeDetails = STATED) -> None:
    async with database.begin() as work:
        await state_notice(work, OPERATOR, place.site, details)


async def test_the_notice_is_read_before_consent_in_four_languages_and_its_version_is_kept_with_it(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    parent = await make_parent(client, database, place)
    shown = await parent.told("GET", f"{parent.family}/privacy-notice")
    assert shown["is_fictional"]
    assert "(fictional)" in shown["text"]
    await _state(database, place)
    assert (await parent.refused("POST", f"{parent.family}/consents", json={**CONSENT, "notice_version": "1.0"})) == (
        409, "notice_outdated",
    )  # fmt: skip
    texts = set()
    for locale in LOCALES:
        shown = await parent.told("GET", f"{parent.family}/privacy-notice", params={"locale": locale})
        assert (shown["notice_version"], shown["is_fictional"], shown["locale"]) == ("1.1", False, locale)
        for word in ("WeCare Dongguan", "7 Hill Road", "12377.cn", "Lin Fang", "Texts Ltd", "CN-2026-017"):
            assert word in shown["text"], (locale, word)
        assert "{" not in shown["text"]
        texts.add(shown["text"])
    assert len(texts) == len(LOCALES)
    given = await parent.told("POST", f"{parent.family}/consents", json={**CONSENT, "notice_version": "1.1"})
    assert given["notice_version"] == "1.1"

    # A guardian who is invited reads the notice of that family before accepting; a stranger's invitation is nothing.
    await parent.add_child()
    other = Parent(client, database, new_phone(), parent.family_id, parent.child_id)
    invited = {"phone": other.phone, "relation": "grandmother"}
    invitation = (await parent.told("POST", f"{parent.family}/invitations", json=invited))["invitation_id"]
    await other.log_in()
    assert (await other.told("GET", f"/v1/invitations/{invitation}/privacy-notice"))["notice_version"] == "1.1"
    assert await parent.refused("GET", f"/v1/invitations/{invitation}/privacy-notice") == (404, "not_found")
    accept = {"text_version": TEXT_VERSION, "locale": "en", "notice_version": "1.1"}
    me = await other.told("POST", f"/v1/invitations/{invitation}/accept", json=accept)
    assert me["families"][0]["consents"][0]["notice_version"] == "1.1"

    # A change is a new version; what was agreed to before keeps its own.
    await _state(database, place, dataclasses.replace(STATED, officer_name="Wang Lei"))
    assert (await parent.told("GET", f"{parent.family}/privacy-notice"))["notice_version"] == "1.2"
    assert (await parent.told("GET", f"{parent.family}/consents"))["consents"][0]["notice_version"] == "1.1"
    later = await parent.told("POST", f"{parent.family}/consents", json={**CONSENT, "part": "location"})
    assert later["notice_version"] == "1.2"


async def test_a_newer_text_is_asked_for_and_the_old_consent_stands_until_it_is_answered(
    client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = await make_family(client, database)
    (before,) = (await parent.told("GET", f"{parent.family}/consents"))["consents"]
    assert before["newer_version"] is None
    newer = {key: dataclasses.replace(text, text_version="2") for key, text in consent_texts().items()}
    monkeypatch.setattr("services.core.people.consents.queries.consent_texts", lambda: newer)
    monkeypatch.setattr("services.core.people.consents.rules.consent_texts", lambda: newer)
    (stands,) = (await parent.told("GET", "/v1/me"))["families"][0]["consents"]
    assert (stands["text_version"], stands["newer_version"], stands["withdrawn_at"]) == (TEXT_VERSION, "2", None)
    assert (await parent.send("still together"))["text"] == "still together"
    given = await parent.told("POST", f"{parent.family}/consents", json={**CONSENT, "text_version": "2"})
    assert (given["text_version"], given["newer_version"]) == ("2", None)
    kept = (await parent.told("GET", f"{parent.family}/consents"))["consents"]
    shown = [(consent["text_version"], consent["newer_version"], consent["withdrawn_at"] is None) for consent in kept]
    assert shown == [
        (TEXT_VERSION, None, False), ("2", None, True),
    ]  # fmt: skip
    assert isinstance(newer[Part.MESSAGES, "en"], ConsentText)


async def test_production_takes_no_family_and_no_consent_at_a_site_that_says_not_who_is_responsible(
    client: httpx.AsyncClient, production: Database
) -> None:
    place = await make_place(production)
    parent = await make_parent(client, production, place)
    # All but one field, which the refusal names.
    await _state(production, place, dataclasses.replace(STATED, officer_contact=""))
    refused = await parent.ask("POST", f"{parent.family}/consents", json=CONSENT)
    assert (refused.status_code, refused.json()["code"]) == (409, "site_incomplete")
    assert refused.json()["missing"] == "officer_contact"
    assert await parent.refused("GET", f"{parent.family}/privacy-notice") == (409, "site_incomplete")
    row = FamilyRow(1, "DG-100", "13800138000", place.site.name, place.cohort.name)
    async with production.begin() as work:
        _, faults = await check_families(work, [row], programme=await _programme(work, place))
    assert [(fault.column, fault.code) for fault in faults] == [("site", "site_incomplete")]

    await _state(production, place)
    await parent.consent()
    async with production.begin() as work:
        _, faults = await check_families(work, [row], programme=await _programme(work, place))
    assert faults == []
    # A field that is emptied later stops new consents, never the way out.
    await _state(production, place, dataclasses.replace(STATED, processors=()))
    await parent.told("POST", f"{parent.family}/consents/withdraw", json={"part": "messages"})
    assert await parent.refused("POST", f"{parent.family}/consents", json=CONSENT) == (409, "site_incomplete")


async def _programme(work: Any, place: Place) -> str:
    return (await programme_of(work, place.site.programme_id)).name


async def test_staff_state_it_and_the_doctor_names_what_is_missing(
    client: httpx.AsyncClient, database: Database, settings: Settings
) -> None:
    place = await make_place(database)
    path = f"/v1/staff/sites/{place.site.site_id}/privacy-notice"
    admin, staff = await make_staff(client, database, place, "admin"), await make_staff(client, database, place)
    assert set((await staff.told("GET", path))["missing"]) == {*required_fields("CN")}
    assert await staff.refused("PUT", path, json=_body()) == (403, "permission_missing")
    part = await admin.told("PUT", path, json=_body(filing_number="", authority_contact=" "))
    assert (part["notice_version"], part["missing"]) == ("1.1", ["authority_contact", "filing_number"])

    in_production = settings.model_copy(update={"environment": Environment.PRODUCTION})
    seen, warned = await privacy_notices(in_production), await privacy_notices(settings)
    assert (seen.ok, f"{place.site.name} lacks authority_contact, filing_number" in seen.what) == (False, True)
    assert (warned.ok, warned.warns, warned.what) == (True, True, seen.what)

    for _ in range(2):  # the same again is no new version
        whole = await admin.told("PUT", path, json=_body())
        assert (whole["notice_version"], whole["missing"]) == ("1.2", [])
    assert whole["processors"] == [{"name": "Texts Ltd", "country": "CN", "purpose": "text messages"}]
    # Other tests' sites lack theirs; of this one nothing is named any more.
    assert "lacks authority_contact, filing_number" not in (await privacy_notices(in_production)).what
    for wrong, code in (
        (_body(officer_name="Lin\u202eFang"), "text_not_allowed"),
        (_body(controller_name="a\x00b"), "text_not_allowed"),
        (_body(processors=[{"name": "Texts", "country": "XX", "purpose": "texts"}]), "country_unknown"),
        (_body(processors=[{"name": "", "country": "CN", "purpose": "texts"}]), "text_not_allowed"),
        (_body(processors=[{"name": "T", "country": "CN", "purpose": "texts"}] * 21), "invalid_request"),
        (_body(controller_name="x" * 121), "invalid_request"),
        (_body(unknown="x"), "invalid_request"),
    ):
        assert (await admin.refused("PUT", path, json=wrong))[1] == code
    async with database.begin() as work:
        kept = await work.session.exec(
            select(PrivacyNotice.version)
            .where(col(PrivacyNotice.site_id) == place.site.site_id)
            .order_by(col(PrivacyNotice.version))
        )
        assert kept.all() == [1, 2]


async def test_a_filing_number_is_for_china_alone(client: httpx.AsyncClient, database: Database) -> None:
    place = await make_place(database)
    async with database.begin() as work:
        place.site.country = "VN"
        work.add(await work.session.merge(place.site))
    admin = await make_staff(client, database, place, "admin")
    path = f"/v1/staff/sites/{place.site.site_id}/privacy-notice"
    assert await admin.refused("PUT", path, json=_body()) == (422, "filing_number_not_here")
    assert (await admin.told("PUT", path, json=_body(filing_number="")))["missing"] == []


def test_fictional_values_say_so_and_every_language_has_every_part() -> None:
    assert missing_fields(FICTIONAL, "CN") == ()
    for locale in LOCALES:
        text = notice_text(FICTIONAL, locale)
        assert text.count("(fictional)") >= 5
        assert "example.org" in text
    page = json.loads(Path("services/core/people/privacy_notices/texts/notice.json").read_text(encoding="utf-8"))
    assert [set(page["texts"][locale]) for locale in LOCALES] == [set(page["texts"]["en"])] * len(LOCALES)
