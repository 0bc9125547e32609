"""A survey from its questions to its reports, over HTTP alone; and no one family's answer in any of it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest_asyncio

from services.core.db.database import Database
from tests.parent import fill_buckets, make_family, make_place
from tests.staff import family_code_of, make_staff

CSV = {"Content-Type": "text/csv"}
QUESTIONS = [
    {"question": "stay", "kind": "yes_no", "label": "Do you mean to stay?"},
    {"question": "talks", "kind": "scale", "label": "How often do you talk?", "least": 0, "most": 50},
]


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def _full_buckets(database: Database) -> None:
    """Each test begins with every limit unused."""
    await fill_buckets(database)


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

    asked = {"name": "2026", "questions": QUESTIONS}
    survey = await admin.told("POST", programme, json=asked)
    assert await admin.told("POST", programme, json=asked) == survey
    assert (survey["name"], survey["published_at"]) == ("2026", None)
    other = {"name": "2026", "questions": [QUESTIONS[0] | {"kind": "number"}]}
    assert await admin.refused("POST", programme, json=other) == (422, "sheet_refused")
    assert await staff.refused("POST", programme, json=asked) == (403, "permission_missing")
    assert (await staff.told("GET", site))["surveys"] == [survey]
    report = f"{site}/{survey['survey_id']}"

    async def bring(*lines: str, **params: Any) -> dict[str, Any]:
        content = "\n".join(["family_code,wave,stay,talks", *lines])
        told: dict[str, Any] = await staff.told(
            "POST", f"{report}/answers", content=content, headers=CSV, params=params
        )
        return told

    before = [f"{code},baseline,no,{number}" for number, code in enumerate(agreed)]
    after = [f"{code},endline,yes,{number + 4}" for number, code in enumerate(agreed)]
    assert (await bring(*before, *after, dry_run=True))["new"] == 20
    assert (await bring(*before, *after))["new"] == 20
    assert (await bring(*before, *after))["unchanged"] == 20
    # A family elsewhere is as unknown as one that is none.
    told = await bring(f"{refuser},endline,yes,1", f"{stranger},endline,yes,1", "NONE-1,endline,maybe,1")
    assert [(one["row"], one["column"], one["code"]) for one in told["faults"]] == [(4, "stay", "answer_malformed")]
    told = await bring(f"{refuser},endline,yes,1", f"{stranger},endline,yes,1", "NONE-1,endline,yes,1")
    assert [(one["row"], one["code"]) for one in told["faults"]] == [
        (2, "measurement_not_agreed"), (3, "family_unknown"), (4, "family_unknown"),
    ]  # fmt: skip
    assert [one["code"] for one in (await bring(f"{agreed[0]},endline,yes,9"))["faults"]] == ["answer_differs"]
    assert (await bring(f"{agreed[0]},endline,yes,9", correct=True))["changed"] == 1
    await bring(after[0], correct=True)

    # When it is published, then its reports stand.
    told = await staff.told("GET", report)
    assert (told["published_at"], told["comparisons"]) == (None, [])
    assert await staff.refused("POST", f"{programme}/{survey['survey_id']}/publish") == (403, "permission_missing")
    published = await admin.told("POST", f"{programme}/{survey['survey_id']}/publish")
    assert published["published_at"] is not None
    stay, talks = (await staff.told("GET", report))["comparisons"]
    # All said no before and yes after: that would be each one's answer.
    assert (stay["suppressed"], stay["before"], stay["after"], stay["p_value"]) == (False, None, None, None)
    assert (talks["matched"], talks["before"]["value"], talks["difference"]["value"]) == (5, 2.0, 4.0)
    whole = await admin.told("GET", f"{programme}/{survey['survey_id']}")
    assert whole["comparisons"] == [stay, talks]
    assert await admin.told("POST", f"{programme}/{survey['survey_id']}/publish") == published
    options: dict[str, Any] = {"content": f"family_code,wave,stay\n{agreed[0]},endline,no\n", "headers": CSV}
    assert await staff.refused("POST", f"{report}/answers", **options) == (409, "survey_published")
    assert await factory.refused("GET", report) == (403, "permission_missing")
