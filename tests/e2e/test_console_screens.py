"""The console's screens in a real browser: lists, families, watches, colleagues, the end of a session, languages."""

from __future__ import annotations

import asyncio
import secrets

import pytest
from sqlmodel import col, select

from services.core.people.accounts.staff_sessions import end_staff_sessions
from services.core.people.households.tables import Enrolment, Family
from tests.support.console import Console, Desk, Workplace, console
from tests.support.http import new_phone
from tests.support.screens import LANGUAGES

__all__ = ["console"]  # a fixture

# Keeps the role of what has the focus at the moment when a question appears.
NOTES_FOCUS = """() => new MutationObserver((_, self) => {
    if (!document.querySelector("[role=dialog]")) return;
    self.disconnect();
    window.whenDrawn = document.activeElement?.getAttribute("role") ?? "none";
}).observe(document.body, {childList: true, subtree: true})"""


async def test_a_list_of_two_thousand_rows_is_checked_mended_and_taken(console: Console) -> None:
    place = await console.workplace(0, 0)
    desk = await console.desk(place, "manager", screen="lists")
    prefix = f"L{secrets.token_hex(2).upper()}"
    start = secrets.randbelow(10**7)
    heading, rows = "family_code,phone,cohort", [
        f"{prefix}-{number:04},+86136{start + number:08},{place.cohort.name}" for number in range(2000)
    ]  # fmt: skip
    faulty = [row.replace(place.cohort.name, "Nowhere") if at % 2 else row for at, row in enumerate(rows)]

    async def bring(lines: list[str]) -> None:
        content = "\n".join([heading, *lines]).encode()
        await desk.by_id("file").set_input_files({"name": "families.csv", "mimeType": "text/csv", "buffer": content})
        await desk.by_id("check-list").click()

    await bring(faulty)
    await desk.sees("1,000 faults. Nothing is stored.")
    assert await desk.by_id("faults").locator("tbody tr").count() == 200
    first = await desk.by_id("faults").locator("tbody tr").first.inner_text()
    assert first.split("\t")[:2] == ["3", "cohort"], "rows are numbered as a spreadsheet does"
    assert await desk.by_id("take-list").is_disabled()
    assert await desk.faults("lists-faults") == []
    await bring(rows[:40])
    await desk.sees("The list is in order. Nothing is stored yet.")
    await desk.by_id("take-list").click()
    await desk.sees("The list is taken.")
    await desk.to("families")
    await desk.write("Code begins with", f"{prefix.lower()}-003")
    await desk.by_id("families").get_by_text(f"{prefix}-0001").wait_for(state="detached")
    assert await desk.by_id("families").locator("tbody tr").count() == 10
    # Pasted from a spreadsheet: tabs between the cells. What is taken twice changes nothing.
    await desk.to("lists")
    pasted = "\n".join(line.replace(",", "\t") for line in [heading, *rows[:3]])
    await desk.page.get_by_label("Or paste the table").fill(pasted)
    await desk.by_id("check-list").click()
    await desk.sees("The list is in order.")
    assert (await desk.page.locator("dl.facts").inner_text()).split() == [
        "New", "0", "Changed", "0", "Unchanged", "3", "Watches", "handed", "out", "0",
    ]  # fmt: skip


async def test_families_and_watches_are_found_and_a_watch_is_replaced(console: Console) -> None:
    place = await console.workplace(3, 3)
    desk = await console.desk(place, "staff", screen="families")
    # Handed out first, as an office does by list.
    await desk.to("lists")
    number = new_phone()
    line = f"family_code,phone,cohort,watch_serial\n{place.families[0]},{number},{place.cohort.name}"
    await desk.page.get_by_label("Or paste the table").fill(f"{line},{place.serials[0]}")
    await desk.by_id("check-list").click()
    await desk.sees("1 fault.")
    await desk.sees("This family has another number already.")
    async with console.database.begin() as work:
        enrolled = await work.session.exec(
            select(Enrolment).join(Family, col(Family.family_id) == col(Enrolment.family_id))
            .where(Family.family_code == place.families[0])
        )  # fmt: skip
        enrolled.one().guardian_phone = number
    await desk.by_id("check-list").click()
    await desk.sees("The list is in order.")
    await desk.by_id("take-list").click()
    await desk.sees("The list is taken.")
    await desk.to("families")
    await desk.by_id("families").get_by_role("button", name=place.families[0]).click()
    await desk.tap("Record")
    await desk.sees("The training is noted.")
    await desk.tap("Ask to get in touch")
    await desk.sees("The family was asked by text message.")
    await desk.tap("Ask to get in touch")
    await desk.sees("The family was asked within the last day already.")
    assert await desk.faults("family") == []
    await desk.tap(place.serials[0])
    await desk.tap("Return, loss, repair")
    await desk.page.get_by_label("broken").check()
    await desk.write("Replacement: number of the new watch", "NONE0000")
    await desk.tap("Record")
    await desk.sees("No watch of this site has this number.")
    assert await desk.faults("watch-replaced") == []
    await desk.write("Replacement: number of the new watch", place.serials[1].lower())
    await desk.tap("Record")
    await desk.sees(f"Watch {place.serials[1]}")
    await desk.sees(place.families[0])
    await desk.tap("Back")
    await desk.page.get_by_label("State").select_option("broken")
    await desk.by_id("watches").get_by_role("button", name=place.serials[1]).wait_for(state="detached")
    assert await desk.by_id("watches").locator("tbody tr").count() == 1
    await _repaired_and_looked_into(desk, place)
    # A family leaves: it is in the list of those who left, with the reason.
    await desk.to("families")
    await desk.by_id("families").get_by_role("button", name=place.families[2]).click()
    await desk.tap("End the enrolment")
    await desk.page.get_by_label("Reason").select_option("moved_away")
    await desk.page.locator(".sheet").get_by_role("button", name="End the enrolment").click()
    await desk.tap("Enrolments ended")
    await desk.sees("moved away")
    await desk.tap("Trainings noted")
    await desk.page.get_by_role("region", name="Trainings noted").get_by_text(place.families[0]).wait_for()


async def _repaired_and_looked_into(desk: Desk, place: Workplace) -> None:
    """The history tells the defect, the replacement and the repair; the backend's view of a watch in stock is read."""
    await desk.by_id("watches").get_by_role("button", name=place.serials[0]).click()
    broken = desk.by_id("history").locator("tbody tr", has_text="broken")
    await broken.get_by_role("button", name=place.serials[1]).wait_for()
    await desk.tap("Return, loss, repair")
    await desk.page.get_by_label("repaired, back in stock").check()
    assert await desk.faults("watch-repaired") == []
    await desk.tap("Record")
    rows = desk.by_id("history").locator("tbody tr")
    await rows.filter(has_text="repaired, back in stock").wait_for()
    cells = [row.split("\t")[1:3] for row in await rows.all_inner_texts()]
    assert cells == [[what, place.families[0]] for what in ("repaired, back in stock", "broken", "given")]
    # In stock: it can break or get lost, and nobody needs a replacement.
    await desk.page.evaluate(NOTES_FOCUS)
    await desk.tap("Return, loss, repair")
    assert await desk.page.locator(".sheet input[type=radio]").count() == 2
    assert await desk.page.locator(".sheet .field").count() == 0
    assert await desk.page.evaluate("whenDrawn") == "dialog", "a key that comes at once is for the question"
    await desk.page.keyboard.press("Escape")
    await desk.by_id("trace-look").click()
    await desk.sees("Nothing was seen yet.")
    await desk.sees("Recorded until")
    assert await desk.faults("watch-history") == []


async def test_an_account_is_asked_for_approved_by_another_and_ended(console: Console) -> None:
    place = await console.workplace(1, 0)
    admin = await console.desk(place, "admin", screen="colleagues")
    await admin.tap("New colleague")
    email = f"lan-{secrets.token_hex(3)}@wecare.example"
    await admin.write("Name", "Lan")
    await admin.write("E-mail address", email)
    await admin.write("Mobile number", "+86 20 8555 0000")
    await admin.tap("Ask for the account")
    await admin.sees("This number cannot receive text messages.")
    await admin.write("Mobile number", f"+86139{secrets.randbelow(10**8):08}")
    await admin.tap("Ask for the account")
    await admin.sees("Asked. A second person approves it.")
    await admin.by_id("requests").get_by_text("You asked for this.").wait_for()
    manager = await console.desk(place, "manager", screen="colleagues")
    assert await manager.page.get_by_role("button", name="New colleague").count() == 0
    assert await manager.by_id("accounts").count() == 0
    await manager.by_id("requests").get_by_role("button", name="Approve").click()
    await manager.by_id("requests").get_by_text("done").wait_for()
    await admin.by_id("requests").get_by_role("button", name="Withdraw").click()
    await admin.sees("A colleague was faster. The list is new now.")
    await admin.page.reload()
    await admin.settled()
    await admin.by_id("accounts").get_by_text(email).wait_for()
    assert await admin.faults("colleagues") == []
    await admin.by_id("accounts").get_by_role("button", name="Lan").click()
    assert await admin.faults("colleague") == []
    await admin.tap("End the account")
    await admin.by_id("accounts").get_by_text("ended").wait_for()


async def test_a_session_that_ends_in_the_middle_leads_back_to_the_same_screen(console: Console) -> None:
    place = await console.workplace(1, 1)
    desk = await console.desk(place, "staff", screen="account")
    second = await console.desk(place, "staff", screen="account")
    assert await second.by_id("sessions").locator("tbody tr").count() == 1
    async with console.database.begin() as work:
        assert desk.staff is not None
        await end_staff_sessions(work, desk.staff.staff_id, "ended")
    # Not `to`: the page may be at its door before anybody has seen the screen's heading.
    await desk.ask_for("families")
    await desk.sees("You were logged out. Please log in again.")
    assert "families" in await desk.page.evaluate("location.hash"), "who logs in again is where they were"
    assert await desk.faults("door-ended") == []


async def _speaks(desk: Desk, screens: list[str]) -> None:
    for language in LANGUAGES:
        await desk.speak(language)
        for screen in screens:
            await desk.to(screen)
            assert await desk.faults(f"{screen}-{language}") == [], (language, screen)


@pytest.mark.long
async def test_every_screen_speaks_four_languages(console: Console) -> None:
    place = await console.workplace(2, 2)
    desk = await console.desk(place, "admin", programme=True)
    names = await desk.page.locator("nav button").evaluate_all("all => all.map(one => one.dataset.testid.slice(4))")
    assert len(names) >= 10
    await asyncio.wait_for(_speaks(desk, names), 240)
    # A tablet, in the longest language.
    await desk.speak("tr")
    await desk.page.set_viewport_size({"width": 768, "height": 1024})
    faults = {}
    for screen in names:
        await desk.to(screen)
        faults[screen] = await desk.faults(f"{screen}-tablet")
    assert {screen: found for screen, found in faults.items() if found} == {}


async def test_an_admin_states_who_is_responsible_adds_a_cohort_and_a_site(console: Console) -> None:
    place = await console.workplace(0, 0)
    desk = await console.desk(place, "admin", screen="programme", programme=True)
    await desk.write("New cohort", "Autumn")
    await desk.page.get_by_label("First day").fill("2027-09-01")
    await desk.page.get_by_label("Last day", exact=True).fill("2027-08-01")
    await desk.tap("Add")
    await desk.sees("The last day is before the first.")
    await desk.page.get_by_label("Last day", exact=True).fill("2028-08-01")
    await desk.tap("Add")
    await desk.by_id("cohorts").get_by_text("Autumn").wait_for()
    notice = desk.by_id("notice")
    await notice.get_by_text("Still missing: Responsible: name").wait_for()
    await desk.write("Responsible: name", "Programme Office")
    await desk.page.get_by_label("Companies that process data").fill("Text Messages Ltd; cn; text messages")
    await notice.get_by_role("button", name="Save").click()
    await notice.get_by_text("Saved.").wait_for()
    await notice.get_by_text("Still missing: Responsible: address").wait_for()
    assert await desk.faults("programme") == []
    await desk.write("New site: Name", "Shenzhen")
    await desk.write("Time zone", "Asia/Nowhere")
    await desk.page.get_by_role("button", name="Add").last.click()
    await desk.sees("This time zone does not exist")
    await desk.write("Time zone", "Asia/Shanghai")
    await desk.page.get_by_role("button", name="Add").last.click()
    await desk.sees("Added.")
    # The last day takes a second press, and is refused while it is too near.
    await desk.page.get_by_label("Last day of the programme").fill("2026-12-01")
    await desk.tap("Announce")
    await desk.page.locator(".sheet").get_by_role("button", name="Announce").click()
    await desk.sees("The last day must be 30 days ahead or more.")
    assert await desk.faults("programme-end") == []
    # A manager has no such screen.
    manager = await console.desk(place, "manager")
    assert await manager.by_id("nav-programme").count() == 0
