"""Care in the console, in a real browser: two people, and no word of a family on any screen of any role."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator

import pytest
from sqlmodel import col, select

from services.core.people.accounts.tables import Guardian
from services.core.people.households.rules import Right
from services.core.people.households.tables import Child, Family, HelpRequest, Membership
from services.core.people.programme.tables import Cohort, Site
from services.core.privacy.contests.actions import contest_right
from tests.e2e.conftest import Play
from tests.support.console import Console, Workplace, console

__all__ = ["console"]  # a fixture

CARD = "440301 1988 0417 2213"


@contextlib.asynccontextmanager
async def _family_with_content(play: Play) -> AsyncIterator[tuple[Workplace, str, list[str]]]:
    """Yield a site with a family that talks, its code, and words and numbers that no staff page may show."""
    home = await play.home()
    mark = secrets.token_hex(4)
    async with play.database.begin() as work:
        site = await work.session.get_one(Site, home.site_id)
        cohort = (await work.session.exec(select(Cohort).where(Cohort.site_id == home.site_id))).one()
        family = await work.session.get_one(Family, home.family_id)
        family.family_code = code = f"C{mark.upper()}"
        child = await work.session.get_one(Child, home.child_id)
        child.name = f"canary-child-{mark}"
        guardian = await work.session.get_one(Guardian, home.guardian_id)
        guardian.display_name = f"canary-mother-{mark}"
        work.add(family, child, guardian, HelpRequest(
            family_id=home.family_id, child_id=home.child_id, kind="worried", asked_at=work.now
        ))  # fmt: skip
    number = f"+86137{secrets.randbelow(10**8):08}"
    async with play.parent(home.phone) as parent:
        child_id = str(home.child_id)
        await parent.family.add_contact(child_id, f"canary-teacher-{mark}", "teacher", number)
        await parent.write(child_id, f"canary-words-{mark}")
    canaries = [
        f"canary-child-{mark}", f"canary-mother-{mark}", f"canary-teacher-{mark}", f"canary-words-{mark}", number[-8:],
        home.phone[-8:], child_id,
    ]  # fmt: skip
    yield Workplace(site, cohort, [code], [home.serial]), code, canaries


# A page shows what it is answered, and tests/integration/api/test_staff_crawl.py finds no canary in any answer to any
# role. Here are those whose screens must hold less than others; the two with the most screens are long.
FEW = {"staff": "vi", "coordinator": "tr", "factory": "en"}
ALL = {"admin": "en", "manager": "zh-Hans", **FEW}


@pytest.mark.parametrize("roles", [pytest.param(FEW, id="few"), pytest.param(ALL, id="all", marks=pytest.mark.long)])
async def test_no_role_sees_a_word_a_name_or_a_number_on_any_screen(
    play: Play, console: Console, roles: dict[str, str]
) -> None:
    """Every screen of a role, with what a press on a row opens; the roles speak different languages."""
    async with _family_with_content(play) as (place, code, canaries):
        seen: dict[str, str] = {}
        for role, language in roles.items():
            desk = await console.desk(place, role, language=language)
            names = await desk.page.locator("nav button").evaluate_all("all => all.map(one => one.dataset.testid)")
            for name in names:
                screen = name.removeprefix("nav-")
                await desk.to(screen)
                # What stands in the page, whether or not it is drawn.
                seen[f"{role} {screen}"] = await desk.page.content()
                rows = desk.page.locator("main.desk tbody th button")
                if screen in {"families", "watches"} and await rows.count():
                    await rows.first.click()
                    await desk.settled()
                    seen[f"{role} {screen} opened"] = await desk.page.content()
        leaks = {where: [canary for canary in canaries if canary in page] for where, page in seen.items()}
        assert {where: leaked for where, leaked in leaks.items() if leaked} == {}
        # The same eyes do find what these pages may say.
        assert code in seen["staff families"]
        assert code not in seen["coordinator watches"], "a coordinator sees no family behind a watch"
        assert {where.split()[1] for where in seen if where.startswith("factory ")} == {"usage", "files", "account"}
        assert len(seen) > (35 if roles is ALL else 18)


async def test_two_people_recover_an_account_with_the_paper(play: Play, console: Console) -> None:
    """Journey 24: the guardian is told, and a colleague who withdraws it first is named."""
    async with _family_with_content(play) as (place, code, _):
        async with play.database.begin() as work:
            guardian = (
                await work.session.exec(
                    select(Guardian).join(Membership, col(Membership.guardian_id) == col(Guardian.guardian_id))
                    .join(Family, col(Family.family_id) == col(Membership.family_id)).where(Family.family_code == code)
                )
            ).one()  # fmt: skip
        before = console.sms_file.read_text(encoding="utf-8").count(guardian.phone)
        first, other = [await console.desk(place, "manager", screen="care") for _ in range(2)]
        await first.sees("The family is worried.")
        await first.tap("Ask for a recovery")
        await first.write("Family code", code.lower())
        await first.write("Number now", guardian.phone)
        await first.write("New number", f"+86134{secrets.randbelow(10**8):08}")
        await first.write("Number on the paper", CARD)
        await first.page.locator("form").get_by_role("button", name="Ask for a recovery").click()
        await first.sees("Say which paper you see.")
        await first.page.get_by_label("Kind of paper").select_option("identity_card")
        await first.page.locator("form").get_by_role("button", name="Ask for a recovery").click()
        await first.by_id("recoveries").get_by_text("You asked for this. Another person approves it.").wait_for()
        assert await first.by_id("recoveries").get_by_role("button", name="Approve").count() == 0
        assert await first.faults("care-recovery") == []
        await other.page.reload()
        await other.settled()
        await other.by_id("recoveries").get_by_role("button", name="Approve").click()
        await other.write("Number on the paper", "something else")
        await other.page.get_by_label("Kind of paper").select_option("identity_card")
        await other.page.locator(".sheet").get_by_role("button", name="Approve").click()
        await other.sees("The paper does not fit the family. Look at it again.")
        await other.by_id("recoveries").get_by_role("button", name="Approve").click()
        await other.write("Number on the paper", CARD)
        await other.page.get_by_label("Kind of paper").select_option("identity_card")
        await other.page.locator(".sheet").get_by_role("button", name="Approve").click()
        await other.by_id("recoveries").get_by_text("takes effect").wait_for()
        async with asyncio.timeout(30):
            while console.sms_file.read_text(encoding="utf-8").count(guardian.phone) < before + 1:
                await first.page.wait_for_timeout(100)
        # A colleague who was faster: the sentence says so, and the list is new.
        await first.page.reload()
        await first.settled()
        await first.page.get_by_role("button", name="Taken care of").first.click()
        await first.by_id("recoveries").get_by_role("button", name="Withdraw").click()
        await first.by_id("recoveries").get_by_text("withdrawn").wait_for()
        await other.by_id("recoveries").get_by_role("button", name="Withdraw").click()
        await other.sees("A colleague was faster. The list is new now.")
        await other.by_id("recoveries").get_by_text("withdrawn").wait_for()
        # A notice, read again later.
        await first.write("Text", "Family day on Sunday")
        await first.tap("Send to all")
        await first.by_id("notices").get_by_text("Family day on Sunday").wait_for()
        # What the parents of the cohort are asked to talk about: three questions an age, this week and the next.
        await first.by_id("prompts").locator("tbody tr").nth(17).wait_for()
        assert await first.faults("care-prompts") == []


async def test_a_number_is_opened_by_two_people_and_hidden_while_nobody_looks(play: Play, console: Console) -> None:
    """Journey 24: for a child's safety."""
    async with _family_with_content(play) as (place, code, canaries):
        first, other = [await console.desk(place, "manager", screen="care") for _ in range(2)]
        before = console.sms_file.read_text(encoding="utf-8").count(canaries[5])
        # Break-glass: nobody approves their own, and who asked sees the number for an hour, while looking at the page.
        await first.tap("Ask for the number")
        await first.write("Family code", code)
        await first.write("Reason", "The school called: the child is missing.")
        await first.page.locator("form").get_by_role("button", name="Ask for the number").click()
        await first.by_id("break-glass").get_by_text("You asked for this.").wait_for()
        await other.page.reload()
        await other.settled()
        await other.by_id("break-glass").get_by_role("button", name="Approve").click()
        await other.by_id("break-glass").get_by_text("open until").wait_for()
        assert await other.by_id("look").count() == 0, "the number is for who asked"
        # An office computer's clock that is wrong by three hours does not end the hour.
        await first.context.add_init_script("{ const now = Date.now; Date.now = () => now() + 3 * 3600000; }")
        await first.page.reload()
        await first.settled()
        await first.by_id("look").click()
        await first.by_id("guardian").get_by_text(canaries[1]).wait_for()
        assert await first.faults("care-guardian") == []
        await first.page.evaluate("dispatchEvent(new Event('blur'))")
        await first.by_id("hidden").wait_for()
        assert canaries[1] not in await first.page.content()
        await first.by_id("hidden").click()
        await first.by_id("guardian").wait_for()
        assert await first.page.evaluate("sessionStorage.length") == 0
        # The guardian is told by text message.
        async with asyncio.timeout(30):
            while console.sms_file.read_text(encoding="utf-8").count(canaries[5]) < before + 1:
                await first.page.wait_for_timeout(100)


async def test_a_contested_right_is_decided_by_two_people_with_the_paper(play: Play, console: Console) -> None:
    async with _family_with_content(play) as (place, code, _):
        async with play.database.begin() as work:
            first = (
                await work.session.exec(
                    select(Membership).join(Family, col(Family.family_id) == col(Membership.family_id))
                    .where(Family.family_code == code)
                )
            ).one()  # fmt: skip
            uncle = Guardian(phone=f"+86133{secrets.randbelow(10**8):08}", display_name="canary", created_at=work.now)
            work.add(uncle)
            await work.flush()
            work.add(
                Membership(
                    family_id=first.family_id, guardian_id=uncle.guardian_id, relation="uncle", may_manage=True,
                    joined_at=work.now,
                )
            )  # fmt: skip
            await work.flush()
            await contest_right(work, first.family_id, first.guardian_id, uncle.guardian_id, Right.MANAGE)
        one, other = [await console.desk(place, "manager", screen="care") for _ in range(2)]
        for desk, step in ((one, "Decide"), (other, "Approve")):
            await desk.page.reload()
            await desk.settled()
            row = desk.by_id("contests").locator("tbody tr")
            await row.get_by_text("against Uncle").wait_for()
            await row.get_by_role("button", name=step).click()
            if desk is one:
                await desk.page.get_by_label("Remove the right").check()
            await desk.write("Number on the paper", CARD)
            await desk.page.get_by_label("Kind of paper").select_option("identity_card")
            assert await desk.faults(f"contest-{step.lower()}") == []
            await desk.page.locator(".sheet").get_by_role("button", name=step).click()
            await desk.page.locator(".sheet").wait_for(state="detached")
            if desk is one:
                await row.get_by_text("You asked for this. Another person approves it.").wait_for()
        await other.by_id("contests").get_by_text("takes effect").wait_for()
        # The colleague of the first step withdraws it; who comes later reads so.
        await one.page.reload()
        await one.settled()
        await one.by_id("contests").get_by_role("button", name="Withdraw").click()
        await one.by_id("contests").get_by_role("button", name="Decide").wait_for()
        await other.by_id("contests").get_by_role("button", name="Withdraw").click()
        await other.sees("A colleague was faster. The list is new now.")
