"""Printed papers over HTTP: in the site's language, marked only while a hand-out is open; and the page for finders."""

from __future__ import annotations

import re

import httpx
import pytest

from services.api.found_watch import found_page
from services.core.people.households.queries import guardians_of
from services.core.people.programme.tables import Programme, Site
from services.core.platform.db.database import Database
from tests.support.http import enrol_family, make_family, make_place, new_phone
from tests.support.pdf import page_sizes_mm, pages_of, text_of
from tests.support.staff_http import at_hand_out, family_code_of, make_staff
from tests.support.world import make_watch


def one_line(text: str) -> str:
    return re.sub(r"\s+", "", text)


async def test_the_list_marks_who_joined_and_cannot_be_notified_while_a_hand_out_is_open(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    path = f"/v1/staff/sites/{place.site.site_id}/hand-out-list"
    staff = await make_staff(client, database, place)
    joined = await make_family(client, database, place)
    await enrol_family(database, new_phone(), place)
    code = await family_code_of(joined)
    assert joined.family_id is not None
    async with database.begin() as work:
        # As after a log-in by slip: no text message has arrived there yet, and there is no push endpoint.
        (guardian,) = [guardian for _, guardian in await guardians_of(work, joined.family_id)]
        guardian.phone_confirmed_at = None
        work.add(guardian)

    before = text_of(await staff.told("GET", path))
    assert code in before
    assert [line for line in before.splitlines() if "X" in line.split()] == []
    await at_hand_out(staff, place)
    marked = [line for line in text_of(await staff.told("GET", path)).splitlines() if "X" in line.split()]
    assert len(marked) == 1

    strips = pages_of(await staff.told("GET", path, params={"layout": "strips"}))
    assert len(strips) == 1
    assert code in strips[0]
    assert await staff.refused("GET", path, params={"layout": "poster"}) == (422, "invalid_request")


async def test_labels_and_leaflet_name_the_programme_and_its_number_in_the_sites_country(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    staff = await make_staff(client, database, place)
    site = f"/v1/staff/sites/{place.site.site_id}"
    async with database.begin() as work:
        watch, _ = await make_watch(work, place.site.site_id, None)
        programme = await work.session.get_one(Programme, place.site.programme_id)
        name, serial = programme.name, watch.serial
    label = text_of(await staff.told("GET", f"{site}/watch-labels"))
    assert serial in label
    assert "+86 10 5555 0100" in label
    assert one_line(name)[:20] in one_line(label)
    leaflet = await staff.told("GET", f"{site}/leaflet", params={"locale": "vi"})
    assert page_sizes_mm(leaflet) == [(148, 210)]
    assert "Sạc mỗi tối." in text_of(leaflet)

    async with database.begin() as work:
        site_row = await work.session.get_one(Site, place.site.site_id)
        site_row.country = "DE"
        work.add(site_row)
    for leaf in ("watch-labels", "leaflet"):
        assert await staff.refused("GET", f"{site}/{leaf}") == (409, "programme_phone_missing")


async def test_a_name_that_no_font_has_is_refused_with_its_place(client: httpx.AsyncClient, database: Database) -> None:
    place = await make_place(database)
    staff = await make_staff(client, database, place)
    async with database.begin() as work:
        site_row = await work.session.get_one(Site, place.site.site_id)
        site_row.name = "Addis \u12a0\u12f2\u1235"
        work.add(site_row)
    answer = await staff.ask("GET", f"/v1/staff/sites/{place.site.site_id}/watch-labels")
    assert (answer.status_code, answer.json()["code"]) == (409, "characters_not_printable")
    assert answer.json()["places"].startswith("site: U+1235")


@pytest.mark.parametrize("path", ["/w", "/w?serial=SW000001"])
async def test_the_page_for_finders_is_one_for_all_and_asks_nothing(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    page = answer.text
    assert [page.count(f'lang="{locale}"') for locale in ("zh-Hans", "vi", "tr")] == [1, 1, 1]
    assert {"tel:+861055550100", "tel:+842455550100", "tel:+902125550100"} <= set(re.findall(r'href="([^"]+)"', page))
    assert page == (await client.get("/w")).text
    assert not re.search(r"<script|<form|<img|<link|src=|url\(", page)
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_number_that_cannot_be_parsed_is_shown_as_the_settings_have_it() -> None:
    # +999 is no country's prefix, and settings accept it.
    assert 'href="tel:+9991234567">+9991234567<' in found_page({"CN": "+9991234567"})
