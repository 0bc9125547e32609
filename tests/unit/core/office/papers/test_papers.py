"""Papers speak the site's language, show every character, and tell a stranger nothing of a child."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from datetime import UTC, date, datetime

import pytest
import segno

from services.core.devices.watches.rules import serial_of_scan
from services.core.office.hand_outs.actions import PrintedSlip
from services.core.office.hand_outs.roster import RosterEntry
from services.core.office.papers.errors import CharactersNotPrintableError
from services.core.office.papers.hand_out_list import ListTexts, hand_out_list, hand_out_strips
from services.core.office.papers.labels import LabelTexts, label_sheet, label_url
from services.core.office.papers.leaflet import home_leaflet, leaflet_sentences
from services.core.office.papers.paper import check_printable
from services.core.office.papers.slip_sheet import SlipTexts, slip_sheet
from services.core.office.papers.wording import date_text, paper_texts
from services.core.platform import fonts
from services.core.platform.locales import LOCALES
from tests.support.pdf import page_sizes_mm, pages_of, text_of

DAY = date(2026, 11, 29)
PHONE = "+86 769 2222 1234"
# A name that every paper of a language has to show; the last letters need a second font or composed forms.
SITES = {
    "en": ("Northgate Garments", "Spring"),
    "zh-Hans": ("东莞长安电子厂", "二〇二六春季班"),
    "vi": ("Nhà máy Đồng Nai số 2", "Lớp mùa xuân"),
    "tr": ("Gümüşsuyu İplik Fabrikası", "İlkbahar ığşç"),  # noqa: RUF001 - a Turkish letter
}
FAMILIES = [
    RosterEntry(f"DG-{number:03d}", "c", f"DG{number:06d}", paired=False, last_seen_at=None) for number in range(1, 60)
]


def one_line(text: str) -> str:
    """Return a text without the line breaks and spaces of its layout."""
    return re.sub(r"\s+", "", text)


def label_texts(locale: str = "en") -> LabelTexts:
    site, _ = SITES[locale]
    return LabelTexts(f"WeCare {site[:4]}", site, PHONE, locale, "https://watch.example.org/w", DAY)


@pytest.mark.parametrize("locale", LOCALES)
def test_a_label_holds_programme_serial_and_whom_a_finder_calls_and_the_site_only_the_margin(locale: str) -> None:
    serials = [f"SW{number:06d}" for number in range(49)]
    content = label_texts(locale)
    pages = pages_of(label_sheet(serials, content))
    assert [sum(serial in page for serial in serials) for page in pages] == [24, 24, 1]
    line = one_line(paper_texts(locale)["labels.found"].format(phone=PHONE))
    assert one_line(pages[0]).count(line) == 24
    assert [one_line(page).count(one_line(content.site)) for page in pages] == [1, 1, 1]
    assert one_line(pages[2]).count(one_line(paper_texts(locale)["page"].format(n=3, m=3))) == 1


def test_the_qr_of_a_label_leads_to_the_page_for_finders_and_is_read_as_a_scan() -> None:
    url = label_url("https://watch.example.org/w", "SW000001")
    assert url == "https://watch.example.org/w#SW000001"
    matrix = segno.make(url, error="m", micro=False).matrix
    runs = sum(1 for row in matrix for index, module in enumerate(row) if module and (index == 0 or not row[index - 1]))
    pdf = label_sheet(["SW000001"], label_texts())
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    assert zlib.decompress(streams[0]).count(b" re f") == runs
    for scan in (url, "smartwatch:serial:SW000001", "SW000001", " sw000001 ", "http://127.0.0.1:8080/w#SW000001"):
        assert serial_of_scan(scan) == "SW000001"
    assert serial_of_scan("https://evil.example/x#SW000001") != "SW000001"


def test_the_longest_serial_and_programme_fit_their_label() -> None:
    content = label_texts()
    longest = LabelTexts("W" * 80, content.site, content.phone, content.locale, content.found_url, content.printed_on)
    assert "ABCDEFGHIJ0123456789" in text_of(label_sheet(["ABCDEFGHIJ0123456789"], longest))


@pytest.mark.parametrize("locale", LOCALES)
def test_the_list_to_sign_names_families_by_code_and_keeps_a_narrow_column_for_phones_that_do_not_ring(
    locale: str,
) -> None:
    site, cohort = SITES[locale]
    pages = pages_of(hand_out_list(FAMILIES, ListTexts(site, cohort, locale, DAY), {"DG-003"}))
    texts = paper_texts(locale)
    assert len(pages) == 3
    for number, page in enumerate(pages, start=1):
        shown = one_line(page)
        for expected in (
            site, cohort, texts["list.title"], texts["list.signature"], texts["list.no_channel"],
            texts["form"].format(number="SW-2"), texts["page"].format(n=number, m=3),
            texts["printed"].format(date=date_text(DAY, locale)),
            texts["list.keep"].format(date=date_text(date(2027, 2, 27), locale)),
        ):  # fmt: skip
            assert one_line(expected) in shown
    assert [code for code in (entry.family_code for entry in FAMILIES) if code not in "".join(pages)] == []
    assert "".join(pages).count("X") == 1
    unmarked = hand_out_list(FAMILIES, ListTexts(site, cohort, locale, DAY))
    assert "X" not in text_of(unmarked)


@pytest.mark.parametrize("locale", LOCALES)
def test_a_strip_for_each_family_and_on_each_page_when_it_is_destroyed(locale: str) -> None:
    site, cohort = SITES[locale]
    without_watch = RosterEntry("DG-900", "c", None, paired=False, last_seen_at=None)
    pages = pages_of(hand_out_strips([*FAMILIES[:16], without_watch], ListTexts(site, cohort, locale, DAY)))
    texts = paper_texts(locale)
    assert [one_line(page).count(one_line(texts["strips.received"])) for page in pages] == [8, 8, 1]
    keep = one_line(texts["list.keep"].format(date=date_text(date(2027, 2, 27), locale)))
    assert all(keep in one_line(page) for page in pages)


@pytest.mark.parametrize("locale", LOCALES)
def test_a_slip_says_where_until_when_in_the_sites_time_and_how(locale: str) -> None:
    slips = [
        PrintedSlip(f"DG-{n:03d}", f"k3m9-q2x7-4f{n:02d}", datetime(2026, 11, 29, 22, 30, tzinfo=UTC)) for n in range(7)
    ]
    content = SlipTexts("https://watch.example.org/log-in", "Asia/Shanghai", locale, DAY)
    pages = pages_of(slip_sheet(slips, content))
    assert len(pages) == 2
    shown = one_line(pages[1])
    until = f"{date_text(date(2026, 11, 30), locale)}, 06:30"
    for expected in (
        "DG-005",
        "k3m9-q2x7-4f05",
        "watch.example.org",
        paper_texts(locale)["slips.rule"].format(until=until),
    ):
        assert one_line(expected) in shown


@pytest.mark.parametrize("locale", LOCALES)
def test_the_leaflet_is_one_page_of_a5_with_five_sentences_below_60_words(locale: str) -> None:
    pdf = home_leaflet(locale, PHONE)
    assert page_sizes_mm(pdf) == [(148, 210)]
    sentences = leaflet_sentences(locale, PHONE)
    assert len(sentences) == 6
    shown = one_line(text_of(pdf))
    assert [sentence for sentence in sentences if one_line(sentence) not in shown] == []
    # Chinese has no spaces; two characters are about a word.
    words = len(one_line("".join(sentences))) / 2 if locale == "zh-Hans" else len(" ".join(sentences).split())
    assert words < 60


def test_a_character_that_no_font_has_is_named_with_its_row_and_nothing_is_printed() -> None:
    entries = [*FAMILIES[:2], RosterEntry("DG-\U0001f600", "c", None, paired=False, last_seen_at=None)]
    with pytest.raises(CharactersNotPrintableError) as refused:
        hand_out_list(entries, ListTexts("Dongguan \u1362", "", "en", DAY))
    assert refused.value.fields() == {"places": "site: U+1362; row 3: U+1F600", "count": 2}
    with pytest.raises(CharactersNotPrintableError):
        label_sheet(["SW000001"], LabelTexts("\U0001f600", "Dongguan", PHONE, "en", "https://watch.example.org/w", DAY))


def test_the_fonts_hold_gb_18030s_mandatory_part_and_every_letter_of_vietnamese_and_turkish() -> None:
    # GB 18030-2022, implementation level 1: the two-byte part without its private use area, and the four-byte
    # characters of CJK Unified Ideographs and Extension A.
    two_bytes = {
        text
        for high in range(0x81, 0xFF)
        for low in (*range(0x40, 0x7F), *range(0x80, 0xFF))
        if len(text := bytes((high, low)).decode("gb18030", errors="ignore")) == 1 and not 0xE000 <= ord(text) < 0xF900
    }
    ideographs = {chr(point) for block in ((0x3400, 0x4DB6), (0x4E00, 0x9FF0)) for point in range(*block)}
    vietnamese = "ĂÂĐÊÔƠƯăâđêôơư₫" + "".join(map(chr, range(0x1EA0, 0x1EFA)))
    turkish = "ĞğİıŞşÇçÖöÜüÂâÎîÛû₺"
    assert len(two_bytes) > 21_000
    check_printable((("all", "".join(two_bytes | ideographs) + vietnamese + turkish),))


def test_the_font_files_are_those_of_the_list_and_at_most_12_mb() -> None:
    listed = json.loads((fonts.FOLDER / "fonts.json").read_text(encoding="utf-8"))
    files = {file.name: file.read_bytes() for file in fonts.FOLDER.glob("*.ttf")}
    assert {file["file"]: file["sha256"] for file in listed} == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items()
    }
    assert sum(map(len, files.values())) <= 12_000_000
    assert "SIL OPEN FONT LICENSE" in (fonts.FOLDER / "OFL.txt").read_text(encoding="utf-8")


def test_every_locale_has_every_text() -> None:
    keys = {
        locale: {key: set(re.findall(r"\{(\w+)\}", text)) for key, text in paper_texts(locale).items()}
        for locale in LOCALES
    }
    assert all(of_locale == keys["en"] for of_locale in keys.values())
