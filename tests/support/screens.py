"""What is wrong with a screen of the parents' app, and pictures of it.

With SMARTWATCH_PICTURES set to a folder, each screen that is looked at leaves a picture there.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, Final

from tests.support.phone import WIDTH, Phone

AXE: Final = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
LANGUAGES: Final = {"en": "English", "zh-Hans": "中文", "vi": "Tiếng Việt", "tr": "Türkçe"}
# A key in place of a sentence: `talk.title`.
_KEY: Final = re.compile(r"\b[a-z]{3,}\.[a-z_]{3,}\b")
_WORDS: Final = Path(__file__).parents[2] / "services" / "web" / "locales"
_KEYS: Final = frozenset(
    key.partition("#")[0]
    for file in (_WORDS / "en.json", _WORDS / "staff" / "en.json", _WORDS / "watch" / "en.json")
    for key in json.loads(file.read_text(encoding="utf-8"))
)
_PLACEHOLDER: Final = re.compile(r"\{\w+\}")


async def axe_faults(phone: Phone) -> list[str]:
    """Return what a screen reader, or somebody who sees little, would stumble over."""
    if not await phone.page.evaluate("'axe' in window"):
        await phone.page.evaluate(AXE.read_text(encoding="utf-8"))
    violations: list[dict[str, Any]] = await phone.page.evaluate(
        "rules => axe.run(document, {runOnly: rules}).then(one => one.violations)", RULES
    )
    return [f"{violation['id']}: {node['target']}" for violation in violations for node in violation["nodes"]]


def unresolved(text: str) -> list[str]:
    """Return keys and placeholders that stand in a text in place of sentences."""
    return [key for key in _KEY.findall(text) if key in _KEYS] + _PLACEHOLDER.findall(text)


async def word_faults(phone: Phone, name: str) -> list[str]:
    """Return keys and placeholders in place of sentences, and whether the screen scrolls sideways."""
    text = await phone.page.inner_text("body")
    faults = unresolved(text)
    if await phone.page.evaluate("document.documentElement.scrollWidth") > WIDTH:
        faults.append("scrolls sideways")
    await take_picture(phone, name)
    return faults


async def take_picture(phone: Phone, name: str) -> None:
    """Leave a picture of the screen where pictures are wanted."""
    if folder := os.environ.get("SMARTWATCH_PICTURES"):
        await phone.page.screenshot(path=Path(folder) / f"{name}.png", full_page=name.startswith("full"))


async def speak_language(phone: Phone, language: str) -> None:
    """Open the page again in another language."""
    await phone.page.evaluate(f"localStorage.setItem('locale', '{language}')")
    await phone.page.reload()
    await phone.page.locator(f"html[lang={language}]").wait_for()
    await phone.page.locator(".skeleton").first.wait_for(state="detached")
