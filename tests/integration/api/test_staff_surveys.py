"""A survey from its questions to its reports, over HTTP alone; and no one family's answer in any of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx
import pytest_asyncio

from services.core.platform.db.database import Database
from tests.support.http import fill_buckets, make_family, make_place
from tests.support.staff_http import StaffMember, family_code_of, make_staff

CSV = {"Content-Type": "text/csv"}
QUESTIONS: list[dict[str, Any]] = [
    {"question": "stay", "kind": "yes_no", "label": "Do you mean to stay?"},
    {"question": "talks", "kind": "scale", "label": "How often do you talk?", "least": 0, "most": 50},
]


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def _full_buckets(database: Database) -> None:
    """Each test begins with every limit unused."""
    await fill_buckets(database)


async def test_who_asks_knows_families_by_names_of_one_survey(client: httpx.AsyncClient, database: Database) -> None:
    # Given three families at a site, two of which agreed to measurement, and two surveys.
    place = await make_place(database)
    families = [await make_family(client, database, place) for _ in range(3)]
    for family in families[:2]:
        await family.consent("measurement")
    codes = sorted([await family_code_of(family) for family in families])
    admin = await make_staff(client, database, place, "admin", programme=True)
    staff, factory = [await make_staff(client, database, place, role) for role in ("staff", "factory")]
    programme = f"/v1/staff/programmes/{place.site.programme_id}/surveys"
    site = f"/v1/staff/sites/{place.site.site_id}/surveys"
    here, other_survey = [
        f"{site}/{(await admin.told('POST', programme, json={'name': name, 'questions': QUESTIONS}))['survey_id']}"
        for name in ("2026", "2027")
    ]
    # Then staff of the site read whose each name is, a page at a time, and the factory does not.
    page = await staff.told("GET", f"{here}/families", params={"limit": 2})
    rest = await staff.told("GET", f"{here}/families", params={"limit": 2, "after": page["next"]})
    names = {family["family_code"]: family["pseudonym"] for family in (*page["families"], *rest["families"])}
    assert (list(names), len(page["families"]), rest["next"]) == (codes, 2, None)
    assert await factory.refused("GET", f"{here}/families") == (403, "permission_missing")
    # The other survey has other names, and neither list says anything to it.
    others = [family["pseudonym"] for family in (await staff.told("GET", f"{other_survey}/families"))["families"]]
    assert len({*others, *names.values()}) == 6

    async def bring(survey: str, family: str) -> dict[str, Any]:
        content = f"family_code,wave,stay\n{family},baseline,yes\n"
        answer: dict[str, Any] = await staff.told("POST", f"{survey}/answers", content=content, headers=CSV)
        return answer

    assert [fault["code"] for fault in (await bring(here, others[0]))["faults"]] == ["family_unknown"]
    # Who has agreed is not to be seen: each family's answers are answered alike, by name and by code, and once more.
    for code, name in names.items():
        for word in (name, code, code):
            answer = await bring(here, word)
            assert (answer["taken"], answer["new"], answer["changed"], answer["unchanged"], answer["faults"]) == (
                True, 1, 0, 0, [],
            )  # fmt: skip


async def _publish(admin: StaffMember, path: str, changes: Sequence[Callable[[], Awaitable[Any]]]) -> dict[str, Any]:
    """Publish after being asked; a confirmation is of the lists that it was given for, whoever agreed."""
    asks = (await admin.ask("POST", path)).json()
    assert (asks["status"], asks["code"], asks["pairs"]) == (409, "survey_unconfirmed", 5)
    for change in changes:
        await change()
        for confirm in (asks["confirm"], "", "0" * 16):
            again = (await admin.ask("POST", path, params={"confirm": confirm})).json()
            assert (again["code"], again["pairs"]) == ("survey_unconfirmed", 5)
            assert again["confirm"] != asks["confirm"]
        asks = again
    published: dict[str, Any] = await admin.told("POST", path, params={"confirm": asks["confirm"]})
    return published


async def test_from_questions_to_reports(client: httpx.AsyncClient, database: Database) -> None:
    # Given five families that agreed to measurement, one that did not, and one elsewhere that did.
    place, elsewhere = await make_place(database), await make_place(database)
    families = []
    for number in range(7):
        await fill_buckets(database)
        family = await make_family(client, database, place if number < 6 else elsewhere)
        if number != 5:
            await family.consent("measurement")
        families.append(await family_code_of(family))
    agreed, (refuser, stranger) = families[:5], families[5:]
    admin = await make_staff(client, database, place, "admin", programme=True)
    staff, factory = [await make_staff(client, database, place, role) for role in ("staff", "factory")]
    programme = f"/v1/staff/programmes/{place.site.programme_id}/surveys"
    site = f"/v1/staff/sites/{place.site.site_id}/surveys"

    body = {"name": "2026", "questions": QUESTIONS}
    survey = await admin.told("POST", programme, json=body)
    assert await admin.refused("POST", f"{programme}/{survey['survey_id']}/publish") == (409, "survey_empty")
    assert await admin.told("POST", programme, json=body) == survey
    assert (survey["name"], survey["published_at"]) == ("2026", None)
    other = {"name": "2026", "questions": [QUESTIONS[0] | {"kind": "number"}]}
    assert await admin.refused("POST", programme, json=other) == (422, "sheet_refused")
    assert await staff.refused("POST", programme, json=body) == (403, "permission_missing")
    assert (await staff.told("GET", site))["surveys"] == [survey]
    report = f"{site}/{survey['survey_id']}"

    async def bring(*lines: str, **params: Any) -> dict[str, Any]:
        content = "\n".join(["family_code,wave,stay,talks", *lines])
        answer: dict[str, Any] = await staff.told(
            "POST", f"{report}/answers", content=content, headers=CSV, params=params
        )
        return answer

    before = [f"{code},baseline,no,{number}" for number, code in enumerate(agreed)]
    after = [f"{code},endline,yes,{number + 4}" for number, code in enumerate(agreed)]
    assert (await bring(*before, *after, dry_run=True))["new"] == 20
    assert (await bring(*before, *after))["new"] == 20
    assert (await bring(*before, *after, f"{refuser},endline,yes,1"))["new"] == 22
    # A family elsewhere is as unknown as one that is none.
    faults = (await bring(f"{refuser},endline,yes,1", f"{stranger},endline,yes,1", "NONE-1,endline,maybe,1"))["faults"]
    assert [(fault["row"], fault["column"], fault["code"], fault["sentence"] is None) for fault in faults] == [
        (3, "family_code", "family_unknown", True),
        (4, "family_code", "family_unknown", True), (4, "stay", "answer_malformed", False),
    ]  # fmt: skip
    # A stored answer stays unless it is corrected, and neither is told.
    await bring(f"{agreed[0]},endline,yes,40")

    # When it is published, then its reports stand.
    answer = await staff.told("GET", report)
    assert (answer["published_at"], answer["comparisons"]) == (None, [])
    assert await staff.refused("POST", f"{programme}/{survey['survey_id']}/publish") == (403, "permission_missing")
    publishing = f"{programme}/{survey['survey_id']}/publish"
    published = await _publish(
        admin, publishing,
        [lambda: bring(f"{refuser},endline,yes,30", correct=True), lambda: bring(after[1], correct=True)],
    )  # fmt: skip
    assert published["published_at"] is not None
    stay, talks = (await staff.told("GET", report))["comparisons"]
    # All said no before and yes after: that would be each one's answer.
    assert (stay["suppressed"], stay["before"], stay["after"], stay["p_value"]) == (False, None, None, None)
    assert (talks["matched"], talks["before"]["value"], talks["difference"]["value"]) == (5, 2.0, 4.0)
    whole = await admin.told("GET", f"{programme}/{survey['survey_id']}")
    assert whole["comparisons"] == [stay, talks]
    assert await admin.told("POST", publishing) == published
    options: dict[str, Any] = {"content": f"family_code,wave,stay\n{agreed[0]},endline,no\n", "headers": CSV}
    assert await staff.refused("POST", f"{report}/answers", **options) == (409, "survey_published")
    assert await factory.refused("GET", report) == (403, "permission_missing")
