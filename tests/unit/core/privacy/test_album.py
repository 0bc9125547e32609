"""The album: what was said and where the child was, in the family's language, and nothing that runs or loads."""

from __future__ import annotations

import copy
import json
import re
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.core.devices.alerts.rules import AlertKind
from services.core.platform.db.all_tables import load_all_tables
from services.core.platform.locales import LOCALES
from services.core.privacy.copies.album.days import Material, moment_of
from services.core.privacy.copies.album.page import album_page
from services.core.privacy.copies.album.recordings import PageSounds, sound_name
from services.core.privacy.copies.album.sketches import HEIGHT, WIDTH, TrackPoint, sketch_of
from services.core.privacy.copies.album.words import album_texts, emoji_glyphs, joined_names
from services.core.privacy.copies.coverage import COPIED, LEFT_OUT, SECTIONS
from services.protocol.words import EMOJI_GLYPHS
from tests.support.albums import NOTHING_BESIDE, document_of, message, page_of

HOSTILE = '"><script>alert(1)</script>{{7*7}}{0}%s</style><img src=http://evil.example/x onerror=alert(1)>'
SHANGHAI = ZoneInfo("Asia/Shanghai")


class Addresses(HTMLParser):
    """Collects the elements, everything that a page could load, and every handler of an event."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.loaded: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.loaded += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "poster", "data"}]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def _read(page: str) -> Addresses:
    reader = Addresses()
    reader.feed(page)
    return reader


@pytest.mark.parametrize("locale", LOCALES)
def test_it_is_in_the_familys_language_with_local_dates_and_loads_only_what_is_beside_it(locale: str) -> None:
    page = page_of(locale)
    texts = album_texts(locale)
    assert f'<html lang="{locale}">' in page
    for word in ("good morning", "Mei", "❤️", texts["you"], texts["alert.sos"].format(child="Mei")):
        assert word in page
    # 23:30 in UTC is the next morning for the child; the sketch and the passage stand on their day.
    assert texts["passage.entered"].format(child="Mei", zone="School") in page
    assert "07:30" in page
    assert "<svg" in page
    read = _read(page)
    assert {address for address in read.loaded if not address.startswith("#")} == {"audio/2026-11-25_07-31-00.m4a"}
    assert read.handlers == []
    assert not re.search(r"https?:|//[a-z]", page.replace("<!doctype html>", ""))


def test_what_people_typed_is_text_wherever_it_stands() -> None:
    document = document_of()
    document["guardians"][0]["display_name"] = HOSTILE
    [child] = document["children"]
    child |= {"name": HOSTILE, "contacts": [{"name": HOSTILE}]}
    child["messages"][0]["content"] = HOSTILE
    child["zones"][0]["name"] = HOSTILE
    child["passages"][0]["zone_name"] = HOSTILE
    child["alerts"][0] |= {"kind": HOSTILE, "all_right_by": document["guardians"][0]["guardian_id"]}
    child["places_with"] = [document["guardians"][0]["guardian_id"]]
    document["records"]["pairings"][0]["serial"] = HOSTILE
    for locale in LOCALES:
        page = page_of(locale, document)
        read = _read(page)
        assert read.elements.count("script") == 1
        assert "img" not in read.elements
        assert read.handlers == []
        assert not [address for address in read.loaded if "evil" in address]
        # Braces are neither a template nor a format: they stand as they were typed.
        assert page.count("{{7*7}}{0}%s") >= 8


def test_no_family_is_too_small_for_a_page() -> None:
    document = document_of()
    document["children"] = []
    assert album_texts("en")["people"] in page_of("en", document)
    document = document_of()
    document["children"][0] |= {"messages": [], "alerts": [], "passages": [], "zones": [], "contacts": []}
    document["records"]["pairings"] = []
    page = album_page(document, NOTHING_BESIDE, "vi", beside_before=None)
    assert album_texts("vi")["empty"].format(names="Mei") in page


def test_two_children_have_parts_of_their_own() -> None:
    document = document_of()
    second = copy.deepcopy(document["children"][0])
    second |= {"child_id": "22222222-2222-2222-2222-222222222222", "name": "An"}
    document["children"].append(second)
    page = page_of("tr", document)
    assert "Mei ve An albümü" in page
    anchors = re.findall(r'<details id="([^"]+)"', page)
    assert len(anchors) == len(set(anchors)) == 2


def test_the_sender_s_clock_counts_where_it_can_be_right() -> None:
    received = datetime(2026, 11, 25, 12, tzinfo=UTC)
    for sent, wanted in (
        (None, received),
        (received - timedelta(days=3), received - timedelta(days=3)),
        (received - timedelta(days=400), received),
        (received + timedelta(hours=1), received),
        (datetime.max.replace(tzinfo=UTC), received),
        (datetime.min.replace(tzinfo=UTC), received),
    ):
        spoken = message(sent_at=None if sent is None else sent.isoformat(), received_at=received.isoformat())
        assert moment_of(spoken) == wanted


def test_files_are_named_by_the_local_date_and_each_name_is_of_one_recording() -> None:
    at = datetime(2026, 11, 24, 23, 31, tzinfo=UTC)
    names: set[str] = set()
    for wanted in (
        "audio/2026-11-25_07-31-00.m4a",
        "audio/2026-11-25_07-31-00_2.m4a",
        "audio/2026-11-25_07-31-00_3.m4a",
    ):
        assert sound_name(at, SHANGHAI, names) == wanted
        names.add(wanted)


def test_the_page_contains_the_newest_recordings_and_says_which_are_beside_it() -> None:
    sounds = PageSounds(most_bytes=10)
    for day in range(1, 5):
        sounds.add(f"audio/{day}.m4a", b"four", date(2026, 11, day))
    assert set(sounds.addresses()) == {"audio/3.m4a", "audio/4.m4a"}
    assert sounds.beside_before == date(2026, 11, 3)
    page = album_page(document_of(), Material({}, {}), "en", beside_before=sounds.beside_before)
    assert "Recordings before 3 November 2026" in page
    # A single recording is in the page, whatever its size.
    alone = PageSounds(most_bytes=1)
    alone.add("audio/1.m4a", b"four", date(2026, 11, 1))
    assert alone.beside_before is None


def test_a_sketch_lies_in_its_frame_also_at_the_edges_of_the_world() -> None:
    at = datetime(2026, 11, 25, tzinfo=UTC)
    zone = {"name": "Home", "shape": {"kind": "circle", "lat": 0.0, "lon": 179.99, "radius_m": 100.0}}
    for points in (
        [(0.0, 179.99), (0.0, -179.99)],
        [(90.0, 0.0), (-90.0, 0.0)],
        [(23.02, 113.75)] * 3,
        [(23.02, 113.75), (23.03, 113.75)],
    ):
        sketch = sketch_of([TrackPoint(at, lat, lon) for lat, lon in points], [zone])
        assert sketch is not None
        for pair in sketch.line.split():
            x, y = map(float, pair.split(","))
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT
        assert sketch.width_km > 0
    assert sketch_of([TrackPoint(at, 0, 0)], []) is None


def test_every_locale_has_every_text_and_every_word_of_the_product_has_one() -> None:
    english = album_texts("en")
    for locale in LOCALES:
        assert album_texts(locale).keys() == english.keys()
        for key, text in album_texts(locale).items():
            assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", english[key])), (locale, key)
    assert {f"alert.{kind}" for kind in AlertKind} <= english.keys()
    assert emoji_glyphs() == {word.value: glyph for word, glyph in EMOJI_GLYPHS.items()}
    assert joined_names([], "en") == ""
    assert joined_names(["Mei", "An", "Li"], "en") == "Mei, An and Li"


def test_the_schema_describes_each_section_of_records_as_it_is_copied() -> None:
    load_all_tables()
    folder = Path(__file__).parents[4] / "services/core/privacy/copies"
    schema = json.loads((folder / "export.schema.json").read_text(encoding="utf-8"))
    described = schema["properties"]["records"]["properties"]
    assert {name: listed["items"]["required"] for name, listed in described.items()} == {
        section.name: list(section.columns) for section in SECTIONS
    }
    for section in SECTIONS:
        assert list(described[section.name]["items"]["properties"]) == list(section.columns)
        assert described[section.name]["description"].startswith(section.about)
    # Each table is named once.
    named: list[str] = [*COPIED, *LEFT_OUT, *(table for section in SECTIONS for table in section.tables)]
    assert sorted(named) == sorted(set(named))
    assert all(LEFT_OUT.values())
