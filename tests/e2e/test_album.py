"""The album on a cheap phone: from its own disk, without a network, each recording is heard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.core.platform.locales import LOCALES
from services.core.privacy.copies.album.page import data_address
from tests.support.albums import document_of, page_of
from tests.support.phone import HEIGHT, WIDTH
from tests.support.sounds import encoded

if TYPE_CHECKING:
    from playwright.async_api import Page

NAME = "audio/2026-11-25_07-31-00.m4a"
# As the worker renders recordings for phones.
SOUND = encoded("m4a", 2.0)
_HEARD = """player => new Promise((done) =>
    player.currentTime > 0 ? done() : player.addEventListener("timeupdate", done, { once: true }))"""


async def test_it_fits_a_small_screen_and_plays_from_the_page_and_from_the_folder(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    (tmp_path / NAME).write_bytes(SOUND)
    context = await browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, has_touch=True)
    page = await context.new_page()
    requested: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.on("console", lambda line: complaints.append(line.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for number, locale in enumerate(LOCALES):
        # In the page where it fits, else beside it.
        await _play(page, tmp_path, locale, {NAME: data_address(SOUND)} if number % 2 else {})
    assert complaints == []
    assert {url.split(":", 1)[0] for url in requested} <= {"file", "data"}
    assert len(requested) >= len(LOCALES)
    await context.close()


async def _play(page: Page, folder: Path, locale: str, sounds: dict[str, str]) -> None:
    document = document_of()
    messages = document["children"][0]["messages"]
    messages.append(messages[1] | {"received_at": "2026-11-25T02:00:00+00:00"})
    (folder / "index.html").write_text(page_of(locale, document, sounds), encoding="utf-8")
    await page.goto((folder / "index.html").as_uri())
    assert await page.locator("html").get_attribute("lang") == locale
    assert await page.evaluate("document.documentElement.scrollWidth") == WIDTH
    players = page.locator("audio")
    # The first one is unloaded when the second begins, and can be heard again.
    for nth in (0, 1, 0):
        await players.nth(nth).evaluate("player => player.play()")
        await players.nth(nth).evaluate(_HEARD)
        assert await players.nth(1 - nth).evaluate("player => player.paused")
