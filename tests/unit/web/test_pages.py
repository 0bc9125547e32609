"""The sources and built files of the pages: layers, sizes, colours, and the types of the API."""

from __future__ import annotations

import re
import sys
from itertools import product
from pathlib import Path

import pytest

from services.web.serving import BUILT, PARENTS_POLICY, Pages
from tests.support.api_routes import app_without_database

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "infra"))
from web.api_types import FILE, types_of  # noqa: E402

WEB = ROOT / "web"
SOURCES = {
    str(path.relative_to(WEB)): path.read_text(encoding="utf-8")
    for folder in ("shared", "parents")
    for path in sorted((WEB / folder).rglob("*.ts*"))
}
CSS = (WEB / "parents" / "parents.css").read_text(encoding="utf-8")
FIRST_LOAD_MAX_BYTES = 45_000
LATE_MAX_BYTES = 15_000
LATE_WORDS_MAX_BYTES = 6_000
# Calls that are allowed only in the file made for them.
ONLY_IN = {
    r"\bfetch\(": {"shared/api.ts", "parents/sw.ts"},
    r"\bIntl\.(?!DisplayNames)|toLocale\w*String": {"shared/words.ts"},
    r"navigator\.(locks|wakeLock|storage|mediaSession)\b|userAgentData": {"shared/guards.ts"},
    r"BroadcastChannel\(|randomUUID\(": {"shared/guards.ts"},
    r"innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|\beval\(": set(),
    r"localStorage\.setItem": {"shared/session.ts", "shared/words.ts", "parents/talk/talk.tsx", "parents/lock.tsx"},
    r"\.at\(-?\d|structuredClone|Object\.hasOwn|\.replaceAll\(|\.findLast": set(),
}  # fmt: skip


@pytest.mark.parametrize("pattern", ONLY_IN)
def test_one_file_does_what_only_it_may(pattern: str) -> None:
    found = {name for name, text in SOURCES.items() if re.search(pattern, text)}
    assert found <= ONLY_IN[pattern]


def test_what_is_shared_knows_no_face() -> None:
    assert [name for name, text in SOURCES.items() if name.startswith("shared/") and "/parents/" in text] == []


def test_the_layout_has_no_left_and_no_right() -> None:
    physical = r"(?<![-\w])(left|right|(margin|padding|border)-(left|right)|text-align:\s*(left|right))\s*:"
    assert re.findall(physical, CSS) == []


def test_the_types_are_those_of_the_api() -> None:
    assert FILE.read_text(encoding="utf-8") == types_of(app_without_database().openapi()), "make web"


def test_the_first_load_and_the_late_parts_stay_small() -> None:
    sizes = Pages().sizes()
    shared = sum(size for name, size in sizes.items() if name.endswith("parents.js"))
    first = sizes["parents.html"] + sizes["parents.css"] + shared
    late = sizes["late.js"] + sizes["begin-late.js"] + sizes["begin.js"]
    check = sizes["check.html"] + sizes["check.js"] + sizes["parents.css"]
    for locale in ("en", "zh-Hans", "vi", "tr"):
        assert first + sizes[f"locale.{locale}.json"] <= FIRST_LOAD_MAX_BYTES
        # All screens beside the talking together, and their words.
        assert late <= LATE_MAX_BYTES
        assert sizes[f"late.{locale}.json"] <= LATE_WORDS_MAX_BYTES
        assert check + sizes[f"check.{locale}.json"] <= FIRST_LOAD_MAX_BYTES


def test_the_page_asks_at_once_for_every_part_of_the_first_load() -> None:
    page = (BUILT / "parents.html").read_text(encoding="utf-8")
    shared = {path.name for path in BUILT.glob("*parents.js")}
    assert set(re.findall(r"\{\{([\w-]*parents\.js)\}\}", page)) == shared


def test_the_policy_names_no_other_host_and_no_inline_script() -> None:
    assert "unsafe" not in PARENTS_POLICY
    assert "http" not in PARENTS_POLICY
    assert "require-trusted-types-for 'script'" in PARENTS_POLICY


def _colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(a: str, b: str) -> float:
    lighter, darker = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


LIGHT, DARK = (_colours(block) for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL))
GROUNDS = ("bg", "face", "own", "calm-face", "bad-face", "good-face")
# WCAG 2.2: 4.5 for text, 3 for edges and what is drawn.
PAIRS = [
    *((4.5, one, ground) for one, ground in product(("ink", "soft"), GROUNDS)),
    *((4.5, one, ground) for one, ground in product(("act", "calm", "bad", "good"), ("bg", "face"))),
    (4.5, "on-act", "act"), (4.5, "bad", "bad-face"), (4.5, "bad", "own"), (4.5, "calm", "own"), (4.5, "act", "own"),
    (4.5, "calm", "calm-face"), (4.5, "good", "good-face"), (4.5, "bg", "bad"),
    (3.0, "edge", "bg"), (3.0, "edge", "face"),
]  # fmt: skip


@pytest.mark.parametrize(("least", "front", "ground"), PAIRS)
def test_colours_can_be_told_apart(least: float, front: str, ground: str) -> None:
    assert LIGHT.keys() == DARK.keys()
    for colours in (LIGHT, DARK):
        assert _contrast(colours[front], colours[ground]) >= least
