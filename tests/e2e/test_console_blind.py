"""Staff are blind: nothing that a family says, where it is, or whom it knows is on any page of the console."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlmodel import select

from services.core.devices.contacts.guardians import rename_guardian
from services.core.people.accounts.tables import Guardian
from services.core.people.households.admission import Asker, admit
from services.core.people.households.tables import Family
from services.core.people.programme.tables import Cohort, Site
from services.core.platform.crypto.random_ids import new_digits, new_ref
from tests.e2e.conftest import Play
from tests.support.console import Console, Desk, Workplace, console

__all__ = ["console"]  # a fixture

ROLES = ("admin", "manager", "staff", "coordinator", "factory")


async def _planted(play: Play) -> tuple[Workplace, list[str]]:
    """Make a family that talks, calls for help and knows somebody; return its site and what must be nowhere."""
    home = await play.home()
    mum, teacher, words = (f"canary{new_ref(10)}" for _ in range(3))
    number = f"+86137{new_digits(8)}"
    async with play.database.begin() as work:
        opened = await admit(work, home.phone, Asker(None, "127.0.0.1"))
        await rename_guardian(
            work, await work.session.get_one(Guardian, opened.guardian_id), display_name=mum, locale=None
        )
        site = await work.session.get_one(Site, home.site_id)
        cohort = (await work.session.exec(select(Cohort).where(Cohort.site_id == home.site_id))).one()
        family = await work.session.get_one(Family, home.family_id)
    async with httpx.AsyncClient(base_url=play.installation.api_url) as client:
        tokens = await client.post("/v1/auth/refresh", json={"refresh_token": opened.refresh_token})
        client.headers["Authorization"] = f"Bearer {tokens.json()['access_token']}"
        child = f"/v1/children/{home.child_id}"
        bodies: list[tuple[str, dict[str, Any]]] = [
            ("messages", {"kind": "text", "text": words}),
            ("contacts", {"name": teacher, "relation": "teacher", "number": number}),
            ("help", {"kind": "lost"}),
        ]
        for path, body in bodies:
            answer = await client.post(f"{child}/{path}", json=body, headers={"Idempotency-Key": new_ref()})
            assert answer.is_success, (path, answer.text)
    place = Workplace(site, cohort, [family.family_code], [home.serial])
    # A name of a child is a canary as well: the one of the tests stands in no word of the console.
    return place, [mum, teacher, words, number, number[3:], home.phone, home.phone[3:], ">Mei<"]


async def _shown(desk: Desk) -> tuple[set[str], list[str]]:
    """Open every screen of the navigation; return their names and everything that was read or drawn."""
    answers: list[Any] = []

    def note(answer: Any) -> None:
        answers.append(answer)

    desk.page.on("response", note)
    drawn = []
    names = await desk.page.locator("nav button").evaluate_all("all => all.map(one => one.dataset.testid.slice(4))")
    for name in names:
        await desk.to(name)
        await desk.page.wait_for_load_state("networkidle")
        drawn.append(await desk.page.content())
    read = [await answer.text() for answer in answers if "/v1/" in answer.url and answer.status == 200]
    assert read
    return set(names), drawn + read


@pytest.mark.long
async def test_no_page_of_any_role_holds_a_word_a_number_or_a_name_of_a_family(play: Play, console: Console) -> None:
    place, canaries = await _planted(play)
    code = place.families[0]
    seen: dict[str, set[str]] = {}
    for role in ROLES:
        desk = await console.desk(place, role)
        if role == "coordinator":
            await desk.to("handout")
            await desk.tap("Open the hand-out")
            await desk.by_id("scan").wait_for()
        seen[role], texts = await _shown(desk)
        leaked = {canary for canary in canaries for text in texts if canary in text}
        assert leaked == set(), role
        # The pages are not empty: whoever may see codes sees this family's.
        assert any(code in text for text in texts) is (role != "factory"), role
    assert len(seen["admin"]) > len(seen["staff"]) > len(seen["factory"])
