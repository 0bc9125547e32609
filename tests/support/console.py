"""The staff console in a real browser on the whole product: a site with families and watches, and its staff."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest_asyncio

from services.core.people.accounts.staff_sessions import end_staff_sessions, open_staff_session
from services.core.people.accounts.tables import Staff
from services.core.people.households.tables import Enrolment, Family
from services.core.people.programme.tables import Cohort, Site, StaffScope
from services.core.people.staff_accounts.rules import PROBATION
from services.core.platform.crypto.passwords import hash_password
from services.core.platform.crypto.random_ids import new_digits, new_ref
from services.core.platform.db.database import Database
from tests.e2e.conftest import Play
from tests.support.phone import Phone
from tests.support.screens import axe_faults, unresolved
from tests.support.world import make_site, make_watch

if TYPE_CHECKING:
    from playwright.async_api import Browser

STAFF_COOKIE: Final = "__Host-sw_staff"
# The smallest screen of an office, and a phone.
DESK: Final = {"width": 1366, "height": 768}
HAND: Final = {"width": 360, "height": 740}
PASSWORD: Final = "mountain-lantern-quiet-river"


@dataclass
class Workplace:
    """A site with a cohort, its families by code, and its watches by serial."""

    site: Site
    cohort: Cohort
    families: list[str] = field(default_factory=list)
    serials: list[str] = field(default_factory=list)

    @property
    def site_id(self) -> str:
        return str(self.site.site_id)


@dataclass
class Desk(Phone):
    """One browser of a staff member; the fixture checks at the end that nothing left the origin."""

    place: Workplace | None = None
    staff: Staff | None = None

    async def to(self, screen: str) -> None:
        """Open a screen by the navigation's own address."""
        await self.ask_for(screen)
        await self.settled()

    async def ask_for(self, screen: str) -> None:
        """Go to the address of a screen, whatever is shown then."""
        await self.page.evaluate(
            "hash => { location.hash = hash; }", f"#/{self.place.site_id if self.place else '-'}/{screen}"
        )

    async def settled(self) -> None:
        """Wait until the screen has its heading and no grey shapes."""
        await self.page.locator("main.desk h1").first.wait_for()
        await self.page.locator(".skeleton").first.wait_for(state="detached")

    async def speak(self, language: str) -> None:
        """Choose a language where the console offers it."""
        await self.page.locator("select.language").select_option(language)
        await self.page.locator(f"html[lang={language}]").wait_for()

    async def faults(self, name: str) -> list[str]:
        """Return what axe finds, unresolved words and sideways scrolling; leave a picture if asked for."""
        faults = await axe_faults(self) + unresolved(await self.page.inner_text("body"))
        width = await self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if folder := os.environ.get("SMARTWATCH_PICTURES"):
            await self.page.screenshot(path=Path(folder) / f"{name}.png")
        return faults + (["scrolls sideways"] if width > 0 else [])


@dataclass
class Console:
    """Makes sites, staff and browsers on a running product. One is enough for all tests of the console."""

    origin: str
    sms_file: Path
    database: Database
    browser: Browser
    desks: list[Desk] = field(default_factory=list)

    async def workplace(
        self, families: int = 5, watches: int = 5, *, locale: str = "en", name: str = "Dongguan"
    ) -> Workplace:
        """Make a site of its own with enrolled families ``<prefix>-001 ...`` and watches not handed out."""
        async with self.database.begin() as work:
            site, cohort = await make_site(work)
            site.locale, site.name = locale, name
            work.add(site)
            place = Workplace(site, cohort)
            prefix = f"D{new_digits(4)}"
            for number in range(1, families + 1):
                family = Family(family_code=f"{prefix}-{number:03}", created_at=work.now)
                work.add(family)
                await work.flush()
                work.add(
                    Enrolment(
                        family_id=family.family_id, site_id=site.site_id, cohort_id=cohort.cohort_id,
                        guardian_phone=f"+86138{new_digits(8)}", enrolled_at=work.now,
                    )
                )  # fmt: skip
                place.families.append(family.family_code)
            for _ in range(watches):
                place.serials.append((await make_watch(work, site.site_id, None))[0].serial)
            place.serials.sort()
        return place

    async def staff(
        self, place: Workplace, role: str = "staff", *, password: str | None = None, programme: bool = False
    ) -> Staff:
        """Make a staff member of a site, or of its whole ``programme``.

        Without a password none fits, and the session is given to the browser.
        """
        async with self.database.begin() as work:
            staff = Staff(
                email=f"{new_ref()}@wecare.example", display_name=role.capitalize(), role=role,
                phone=f"+86139{new_digits(8)}", password_hash=await hash_password(password or new_ref(24)),
                appointed_at=work.now - PROBATION, created_at=work.now - PROBATION,
            )  # fmt: skip
            work.add(staff)
            await work.flush()
            of_all, of_one = (place.site.programme_id, None) if programme else (None, place.site.site_id)
            work.add(StaffScope(staff_id=staff.staff_id, programme_id=of_all, site_id=of_one))
        return staff

    async def empty_desk(self, **options: Any) -> Desk:
        """Return a browser that has never been on the page."""
        about = {"viewport": DESK, "has_touch": False, **options}
        desk = await Desk.of(self.browser, self.origin, self.sms_file, **about)
        self.desks.append(desk)
        return desk

    async def desk(
        self,
        place: Workplace,
        role: str = "staff",
        *,
        language: str = "en",
        screen: str = "",
        script: str = "",
        programme: bool = False,
        **options: Any,
    ) -> Desk:
        """Return a browser of a new staff member of the site, logged in, on a screen."""
        staff = await self.staff(place, role, programme=programme)
        desk = await self.empty_desk(**options)
        desk.place, desk.staff = place, staff
        if script:
            await desk.context.add_init_script(script)
        await desk.context.add_cookies([await self._cookie(staff.staff_id)])
        await desk.context.add_init_script(
            f"localStorage.getItem('locale') || localStorage.setItem('locale', '{language}')"
        )
        await desk.page.goto(f"{self.origin}/staff#/{place.site_id}/{screen}")
        await desk.settled()
        return desk

    async def end_sessions(self, desk: Desk) -> None:
        """End every session of a desk's staff member, as a log-out elsewhere does."""
        assert desk.staff is not None
        async with self.database.begin() as work:
            await end_staff_sessions(work, desk.staff.staff_id, "password_changed")

    async def _cookie(self, staff_id: uuid.UUID) -> Any:
        async with self.database.begin() as work:
            session = await open_staff_session(work, staff_id)
        # An address in place of a domain: the prefix asks for a cookie of this host alone.
        about = {"httpOnly": True, "secure": True, "sameSite": "Strict", "expires": -1}
        return {
            "name": STAFF_COOKIE,
            "value": session.refresh_token,
            "url": self.origin.replace("http:", "https:"),
            **about,
        }


@pytest_asyncio.fixture(loop_scope="session")
async def console(play: Play, browser: Any) -> AsyncIterator[Console]:
    installation = play.installation
    console = Console(installation.api_url, Path(installation.settings["sms_file"]), play.database, browser)
    yield console
    for desk in console.desks:
        desk.check()
        await desk.context.close()
