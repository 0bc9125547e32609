"""Usage, files and surveys in the console, in a real browser, on one simulated programme of 12 weeks."""

from __future__ import annotations

import contextlib

from sqlmodel import col, func, select

from services.core.measurement.counting.actions import hold_counting
from services.core.measurement.dhis2_imports.rules import Conflict, Summary
from services.core.measurement.dhis2_imports.tables import Dhis2Import
from services.core.measurement.errors import SimulationExistsError
from services.core.measurement.publishing.actions import publish_one_week
from services.core.measurement.tables import UsageExport, UsageWeek
from services.core.office.surveys.actions import define_survey
from services.core.office.surveys.rules import Question
from services.core.people.programme.queries import programme_named
from services.core.people.programme.tables import Cohort, Site
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.settings import Settings
from services.devstack.demo.console import fill_console
from services.devstack.simulated_programme.writing import Plan, simulate
from tests.e2e.conftest import Play
from tests.support.console import Console, Workplace, console

__all__ = ["console"]  # a fixture

# How many dots of a canvas have a colour.
INK = """canvas => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
  .reduce((dots, value, at) => dots + (at % 4 === 3 && value > 0 ? 1 : 0), 0)"""
SEED = 61
PLAN = Plan(sites=1, families=60, weeks=12, seed=SEED)


async def _simulated(play: Play) -> Workplace:
    """Return the site of the simulated programme, which the first caller makes.

    The weeks since the simulated ones are published as well: the worker would do it at a moment of its own.
    """
    settings = Settings.model_validate(play.installation.settings)
    with contextlib.suppress(SimulationExistsError):
        await simulate(play.database, settings, PLAN)
    due = True
    while due:
        async with play.database.begin() as work:
            await hold_counting(work, wait=True)
            due = await publish_one_week(work)
    async with play.database.begin() as work:
        programme = await programme_named(work, f"Simulated programme, seed {SEED}")
        site = (await work.session.exec(select(Site).where(Site.programme_id == programme.programme_id))).one()
        cohort = (await work.session.exec(select(Cohort).where(Cohort.site_id == site.site_id))).first()
        await define_survey(work, OPERATOR, programme, "2026", [Question("talks", "scale", "How often?", 1, 5)])
    assert cohort is not None
    return Workplace(site, cohort)


async def test_usage_shows_gaps_and_the_factory_sees_the_same_charts(console: Console, play: Play) -> None:
    """Journey 25: what is not shown is a hatched gap and no zero."""
    place = await _simulated(play)
    desk = await console.desk(place, "admin", screen="usage", programme=True)
    await desk.by_id("charts").wait_for()
    await desk.sees("Simulated programme: these families do not exist.")
    hidden, shown = desk.by_id("chart-silent"), desk.by_id("chart-messages")
    # One gap over all weeks, and not a dot of ink in it; a curve where numbers may be shown.
    await hidden.locator(".gap").wait_for()
    assert await hidden.locator(".gap").count() == 1
    assert await hidden.locator("canvas").evaluate(INK) == 0
    assert "not shown: too few families" in await hidden.inner_text()
    assert await shown.locator("canvas").evaluate(INK) > 0
    await hidden.locator("summary").click()
    cells = await hidden.locator("tbody td:nth-child(2)").all_inner_texts()
    assert set(cells) == {"not shown"}
    async with play.database.begin() as work:
        weeks = select(func.count()).where(UsageWeek.programme_id == place.site.programme_id)
        published = (await work.session.exec(weeks)).one()
    assert len(cells) == published >= PLAN.weeks
    # A week is read out with the arrow keys.
    newest = await shown.locator(".told").inner_text()
    await shown.get_by_role("img").focus()
    await shown.locator(".about.shown").wait_for()
    await desk.page.keyboard.press("ArrowLeft")
    await shown.locator(".told").filter(has_not_text=newest).wait_for()
    assert await desk.faults("usage-focus") == []
    await desk.page.keyboard.press("Escape")
    await shown.locator(".about.shown").wait_for(state="detached")
    await desk.page.keyboard.press("End")
    await shown.locator(".told").filter(has_text=newest).wait_for()
    assert await desk.faults("usage") == []
    await desk.page.get_by_label("Of", exact=True).select_option(label="the whole programme")
    await desk.by_id("chart-drop_out_silent").wait_for()
    await desk.page.get_by_label("View as factory").check()
    await desk.by_id("charts").wait_for()
    seen = await desk.page.locator("main.desk").inner_text()
    factory = await console.desk(place, "factory", screen="usage")
    await factory.by_id("charts").wait_for()
    charts = "() => [...document.querySelectorAll('figure.chart')].map(one => one.innerText)"
    assert await factory.page.evaluate(charts) == await desk.page.evaluate(charts)
    assert "Silent watches" not in seen


async def test_a_file_is_saved_and_one_that_failed_is_asked_for_again(console: Console, play: Play) -> None:
    """Journey 25: the report, and a worker that could not make it."""
    place = await _simulated(play)
    desk = await console.desk(place, "admin", programme=True)
    await desk.to("files")
    await desk.tap("Make the file")
    async with desk.page.expect_download() as waiting:
        await desk.by_id("save-file").first.click(timeout=60_000)
    report = (await (await waiting.value).path()).read_text()
    assert "Simulated data" in report
    async with play.database.begin() as work:
        export = (await work.session.exec(select(UsageExport).order_by(col(UsageExport.asked_at).desc()))).first()
        assert export is not None
        export.state = "failed"
        work.add(export)
    await desk.to("files")
    await desk.page.reload()
    await desk.settled()
    await desk.sees("It could not be made. Ask for it again.")
    assert await desk.faults("files-failed") == []
    await desk.by_id("again").click()
    await desk.by_id("save-file").wait_for(timeout=60_000)


async def test_the_ids_of_dhis2_are_a_table_that_the_office_keeps(console: Console, play: Play) -> None:
    """An empty table is saved, filled in and pasted; what DHIS2 said stays readable."""
    place = await _simulated(play)
    desk = await console.desk(place, "admin", screen="files", programme=True)
    async with desk.page.expect_download() as waiting:
        await desk.by_id("dhis2-template").click()
    table = (await (await waiting.value).path()).read_text(encoding="utf-8-sig")
    lines = table.splitlines()
    assert f"place,{place.site_id},{place.site.name}," in lines
    assert any(line.startswith("indicator,messages,") for line in lines)
    ids = desk.page.get_by_label("Table of ids")
    await ids.fill("\n".join(f"{line}{'too-short' if line.endswith(',') else ''}" for line in lines[:2]))
    await desk.sees("Not an id of DHIS2 in line 2.")
    assert await desk.by_id("dhis2-check").is_disabled()
    await ids.fill(f"indicator,messages,Messages,aBcdefghi01\nplace,{place.site_id},here,Zyxwvutsr98")
    await desk.by_id("dhis2-check").click()
    await desk.sees("No DHIS2 is set up here.")
    async with play.database.begin() as work:
        work.add(
            Dhis2Import(
                programme_id=place.site.programme_id, state="conflicts", problem="conflicts", asked_at=work.now,
                changed_at=work.now, ended_at=work.now,
                checked=Summary(0, 0, 1, 1, (Conflict("aBcdefghi01", "Data element not found", "E7610"),)).written(),
            )
        )  # fmt: skip
    await desk.page.reload()
    await desk.settled()
    told = desk.by_id("dhis2-imports")
    await told.get_by_text("Correct the ids that are named, and send again.").wait_for()
    await told.get_by_text("Data element not found").wait_for()
    assert await desk.faults("files-dhis2") == []
    # A manager makes files, and sends nothing.
    manager = await console.desk(place, "manager", screen="files", programme=True)
    assert await manager.by_id("dhis2").count() == 0


async def test_a_survey_that_nobody_answered_tells_its_questions_and_is_not_published(
    console: Console, play: Play
) -> None:
    place = await _simulated(play)
    desk = await console.desk(place, "admin", programme=True)
    await desk.to("surveys")
    await desk.by_id("surveys").get_by_role("button", name="2026").click()
    await desk.sees("How often?")
    await desk.by_id("publish").click()
    await desk.sees("Too few families answered both times.")
    await desk.tap("Names in this survey")
    await desk.sees(f"SIM{SEED}-01-001")
    assert await desk.faults("survey") == []


async def test_a_visitor_logs_in_with_what_the_demo_prints(console: Console, play: Play) -> None:
    """A full console, marked as simulated, and a second colleague who may approve; a second demo works as well."""
    settings = Settings.model_validate(play.installation.settings)
    await fill_console(settings, lambda: None, PLAN)
    admin, manager = await fill_console(settings, lambda: None, PLAN)
    assert (admin.role, manager.role) == ("admin", "manager")
    desk = await console.empty_desk()
    await desk.page.goto(f"{console.origin}/staff")
    await desk.write("E-mail address", admin.email)
    await desk.write("Password", admin.password)
    await desk.write("Code", admin.codes[0])
    await desk.tap("Log in")
    await desk.settled()
    await desk.sees("Simulated programme: these families do not exist.")
    await desk.sees("asks for help")
    assert await desk.page.locator("select.site").count() == 0, "its only programme is the simulated one"
    assert await desk.faults("demo-today") == []
    await desk.by_id("nav-watches").click()
    await desk.by_id("watches").get_by_text("paired").first.wait_for()
    await desk.by_id("nav-surveys").click()
    await desk.by_id("surveys").get_by_role("button", name="Before and after").click()
    await desk.by_id("comparisons").get_by_text("How often a week do you talk with your child?").wait_for()
    assert await desk.by_id("comparisons").locator("tbody tr").count() == 3
    assert await desk.faults("demo-survey") == []
    # The number of a simulated programme is in no count of a real one.
    other = await console.desk(await console.workplace(6, 0), "admin", programme=True, screen="usage")
    await other.sees("No week is published yet.")
