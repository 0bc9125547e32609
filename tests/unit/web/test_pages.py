"""The sources and built files of the pages: layers, sizes, colours, and the types of the API."""

from __future__ import annotations

import gzip
import re
import sys
from itertools import product
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from services.web.serving import BUILT, PARENTS_POLICY, STAFF_POLICY, WALL_POLICY, Pages
from tests.support.api_routes import app_without_database

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "infra"))
from web.api_types import FILES, types_of  # noqa: E402

WEB = ROOT / "web"
FACES = ("parents", "staff", "wall", "watch")
SOURCES = {
    str(path.relative_to(WEB)): path.read_text(encoding="utf-8")
    for folder in ("shared", *FACES)
    for path in sorted((WEB / folder).rglob("*.ts*"))
}
BASE = (WEB / "shared" / "base.css").read_text(encoding="utf-8")
CSS = "".join(path.read_text(encoding="utf-8") for path in sorted(WEB.glob("*/*.css")))
FIRST_LOAD_MAX_BYTES = 45_000
STAFF_FIRST_LOAD_MAX_BYTES = 70_000
WATCH_FIRST_LOAD_MAX_BYTES = 25_000
CHART_MAX_BYTES = 25_000
SCANNER_MAX_BYTES = 425_000
LATE_MAX_BYTES = 15_000
LATE_WORDS_MAX_BYTES = 6_000
# Calls that are allowed only in the file made for them.
ONLY_IN = {
    r"\bfetch\(": {"shared/http.ts", "parents/sw.ts"},
    r"\bIntl\.(?!DisplayNames)|toLocale\w*String": {"shared/words.ts"},
    r"navigator\.(locks|wakeLock|storage|mediaSession)\b|userAgentData": {"shared/guards.ts"},
    r"BroadcastChannel\(|randomUUID\(": {"shared/guards.ts"},
    r"innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|\beval\(": set(),
    r"localStorage\.setItem": {"shared/session.ts", "shared/words.ts", "parents/talk/talk.tsx", "parents/lock.tsx"},
    r"\.at\(-?\d|structuredClone|Object\.hasOwn|\.replaceAll\(|\.findLast": set(),
}  # fmt: skip


@pytest.mark.parametrize("pattern", ONLY_IN)
def test_one_file_does_what_only_it_may(pattern: str) -> None:
    files = {name for name, text in SOURCES.items() if re.search(pattern, text)}
    assert files <= ONLY_IN[pattern]


@pytest.mark.parametrize("face", ["shared", *FACES])
def test_a_face_imports_itself_and_what_is_shared(face: str) -> None:
    others = "|".join({*FACES} - {face})
    # The words of the console are typed together with the others; no word of theirs is in another face's file.
    foreign = re.compile(rf'from "[^"]*/({others})/(?!en\.json)')
    assert [name for name, text in SOURCES.items() if name.startswith(f"{face}/") and foreign.search(text)] == []


def test_the_console_keeps_nothing_on_the_disk() -> None:
    keeps = re.compile(r"localStorage|sessionStorage|indexedDB|serviceWorker|shared/(store|session)\.ts")
    assert [name for name, text in SOURCES.items() if name.startswith("staff/") and keeps.search(text)] == []


def test_the_layout_has_no_left_and_no_right() -> None:
    physical = r"(?<![-\w])(left|right|(margin|padding|border)-(left|right)|text-align:\s*(left|right))\s*:"
    assert re.findall(physical, CSS) == []


def test_the_types_are_those_of_the_api() -> None:
    document = app_without_database().openapi()
    for file, of_staff in FILES.items():
        assert file.read_text(encoding="utf-8") == types_of(document, of_staff=of_staff), "make web"


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


def test_the_console_stays_small() -> None:
    sizes = Pages().sizes()
    first = sum(sizes[name] for name in ("staff.html", "staff.css", "staff.js", "staff-common.js", "staff-today.js"))
    for locale in ("en", "zh-Hans", "vi", "tr"):
        assert first + sizes[f"staff.{locale}.json"] <= STAFF_FIRST_LOAD_MAX_BYTES
    assert sizes["staff-plot.js"] <= CHART_MAX_BYTES
    assert sizes["zxing_reader.wasm"] + sizes["staff-decoder.js"] <= SCANNER_MAX_BYTES
    # The decoder's own default would be fetched from elsewhere.
    assert "https://" not in (BUILT / "staff-decoder.js").read_text(encoding="utf-8")


def test_the_watch_on_the_screen_stays_small() -> None:
    packed = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in (BUILT / "watch").glob("*")}
    first = sum(packed[f"watch.{kind}"] for kind in ("html", "css", "js"))
    for locale in ("en", "zh-Hans", "vi", "tr"):
        assert first + packed[f"locale.{locale}.json"] <= WATCH_FIRST_LOAD_MAX_BYTES


def test_the_page_asks_at_once_for_every_part_of_the_first_load() -> None:
    page = (BUILT / "parents.html").read_text(encoding="utf-8")
    shared = {path.name for path in BUILT.glob("*parents.js")}
    assert set(re.findall(r"\{\{([\w-]*parents\.js)\}\}", page)) == shared


def test_the_policy_names_no_other_host_and_no_inline_script() -> None:
    assert "unsafe" not in PARENTS_POLICY
    # A compiled program that reads codes from pictures; no script from a text.
    assert "unsafe" not in STAFF_POLICY.replace("'wasm-unsafe-eval'", "")
    assert "unsafe" not in WALL_POLICY
    for policy in (PARENTS_POLICY, STAFF_POLICY, WALL_POLICY):
        assert "http" not in policy
        assert "require-trusted-types-for 'script'" in policy


def _colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(a: str, b: str) -> float:
    lighter, darker = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


LIGHT, DARK = (_colours(block) for block in re.findall(r":root \{(.*?)\}", BASE, re.DOTALL))
GROUNDS = ("bg", "face", "own", "calm-face", "bad-face", "good-face")
# WCAG 2.2: 4.5 for text, 3 for edges and what is drawn.
PAIRS = [
    *((4.5, ink, ground) for ink, ground in product(("ink", "soft"), GROUNDS)),
    *((4.5, ink, ground) for ink, ground in product(("act", "calm", "bad", "good"), ("bg", "face"))),
    (4.5, "on-act", "act"), (4.5, "bad", "bad-face"), (4.5, "bad", "own"), (4.5, "calm", "own"), (4.5, "act", "own"),
    (4.5, "calm", "calm-face"), (4.5, "good", "good-face"), (4.5, "bg", "bad"),
    (3.0, "edge", "bg"), (3.0, "edge", "face"),
]  # fmt: skip


@pytest.mark.parametrize(("least", "front", "ground"), PAIRS)
def test_colours_can_be_told_apart(least: float, front: str, ground: str) -> None:
    assert LIGHT.keys() == DARK.keys()
    for colours in (LIGHT, DARK):
        assert _contrast(colours[front], colours[ground]) >= least


@pytest.mark.parametrize(
    ("accepted", "words"),
    [
        ("", "locale.en.json"),
        ("fr-FR,fr;q=0.9", "locale.en.json"),
        ("de,vi;q=0.8,en;q=0.5", "locale.vi.json"),
        ("zh-CN,zh;q=0.9", "locale.zh-Hans.json"),
        ("TR", "locale.tr.json"),
        (",;q=, ;", "locale.en.json"),
    ],
)
async def test_the_words_are_asked_for_together_with_the_scripts(accepted: str, words: str) -> None:
    pages = Pages()
    transport = httpx.ASGITransport(Starlette(routes=pages.routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://pages.test") as client:
        page = await client.get("/", headers={"accept-language": accepted})
        address = re.fullmatch(r"<(/web/([^?]+)\?v=\w+)>; rel=preload; as=fetch; crossorigin", page.headers["link"])
        assert address is not None
        assert address[2] == words
        assert "accept-language" in page.headers["vary"].lower()
        assert (await client.get(address[1])).status_code == 200
