"""Files of published cells: what is suppressed stays so, a name runs nowhere, and every language has every word."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from services.core.measurement.exports.dhis2 import Dhis2Ids, DryRun, data_value_set, dry_run_of, period_of
from services.core.measurement.exports.figures import number_text
from services.core.measurement.exports.files import CODEBOOK_COLUMNS, COLUMNS, Extract, as_csv, as_xlsx
from services.core.measurement.exports.report import donor_report
from services.core.measurement.exports.words import words
from services.core.measurement.indicators.rules import INDICATORS, Cell
from services.core.measurement.publishing.coding import bound_of
from services.core.measurement.publishing.headlines import Headline
from services.core.platform.disclosure import Audience
from services.core.platform.locales import LOCALES
from tests.support.workbook import sheets

SITE, PROGRAMME, COHORT = (uuid.UUID(int=number) for number in (1, 2, 3))
WEEK = date(2026, 3, 2)
HOSTILE = '=HYPERLINK("http://x")<script>alert(1)</script>'


def cell(indicator: str, weeks: int = 0, value: float | None = None, scope: uuid.UUID = SITE) -> Cell:
    shown = value is not None
    count = 30 if shown and indicator == "active_use" else None
    low, high = (value - 1, value + 1) if value is not None and indicator == "messages" else (None, None)
    return Cell(scope, WEEK + timedelta(weeks=weeks), indicator, 1, 50 if shown else None, count, value, low, high)


EXTRACT = Extract(
    "A year", Audience.PUBLIC,
    [cell("active_use", 0, 0.6), cell("active_use", 1), cell("messages", 0, 12.0), cell("messages", 1, 14.0),
     cell("messages", 2), cell("messages", 3, 9.0), cell("silent", 0)],
    {SITE: HOSTILE, PROGRAMME: "All"}, datetime(2026, 4, 1, 12, 0, tzinfo=UTC),
)  # fmt: skip


def test_csv_has_a_row_for_each_cell_and_nothing_where_it_is_suppressed() -> None:
    raw = as_csv(EXTRACT)
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert [row["value"] for row in rows] == ["0.6", "", "12.0", "14.0", "", "9.0", ""]
    assert [row["suppressed"] for row in rows] == ["False", "True", "False", "False", "True", "False", "True"]
    assert rows[1]["n"] == rows[1]["count"] == ""
    assert rows[0]["scope"].startswith("'=")


def test_the_workbook_has_typed_data_labels_codebook_and_provenance() -> None:
    book = sheets(as_xlsx(EXTRACT))
    assert list(book) == ["data", "labels", "codebook", "provenance"]
    heading, first, hidden = book["data"][:3]
    assert [text for _, text in heading] == list(COLUMNS)
    # 2 March 2026 is day 46083 of a spreadsheet; it is a number with a date's format, not a text.
    assert first[0] == ("n", "46083")
    assert first[1] == ("s", HOSTILE)
    assert [value for kind, value in first if kind == "n"][1:] == ["1", "50", "30", "0.6"]
    # Of a suppressed cell: week, scope, indicator, version, and that it is suppressed.
    assert len(hidden) == 5
    assert hidden[-1] == ("b", "1")
    book_rows = {row[0][1]: dict(zip(CODEBOOK_COLUMNS, (value for _, value in row), strict=True))
                 for row in book["codebook"][1:]}  # fmt: skip
    assert book_rows["messages"]["cells"] == "4"
    assert book_rows["messages"]["suppressed"] == "1"
    assert book_rows["messages"]["n_at_most"] == "50"
    assert {row[0][1]: row[1][1] for row in book["provenance"]}["least_families"] == "10"
    assert as_xlsx(EXTRACT) == as_xlsx(EXTRACT)


@pytest.mark.parametrize("locale", LOCALES)
def test_the_report_needs_nothing_else_and_says_what_it_is(locale: str) -> None:
    page = donor_report(replace(EXTRACT, locale=locale))
    text = words(locale)
    assert text["not_impact"].replace("'", "&#39;") in page
    assert text["definition.messages"].replace("'", "&#39;") in page
    hidden = text["all_hidden"].format(names=text["name.silent"])
    assert hidden in page
    assert "<script" not in page
    assert not re.search(r"""(src|href)=|url\(|@import""", page)
    assert f'lang="{locale}"' in page
    # Where a week is not shown the line ends: two runs of messages, the second a single week.
    messages = page[page.index(f"<h3>{text['name.messages']}</h3>") :]
    assert messages.split("</section>")[0].count("<polyline") == 2
    ET.fromstring(re.findall(r"<svg.*?</svg>", page, re.DOTALL)[0])  # noqa: S314 - our own page


def test_the_survival_curve_has_a_line_and_a_row_for_each_cohort_and_is_silent_on_what_is_not_shown() -> None:
    # Given a site that shows two days in its last week and three in the one before, and a cohort that shows one.
    cells = [
        cell("survival_28", 0, 0.95), cell("survival_91", 0, 0.9), cell("survival_182", 0, 0.8),
        cell("survival_28", 1, 0.95), cell("survival_91", 1, 0.85), cell("survival_182", 1),
        cell("survival_91", 1, 0.7, COHORT), cell("survival_28", 1, None, COHORT),
    ]  # fmt: skip
    page = donor_report(replace(EXTRACT, cells=cells, scopes={SITE: "Here", COHORT: HOSTILE, PROGRAMME: "Empty"}))
    section = page[page.index(f"<h3>{words('en')['curve']}</h3>") :].split("</section>")[0]
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", section)[1:]]
    gone = words("en")["suppressed"]
    assert rows == [["95 %", "85 %", gone, gone], [gone, "70 %", gone, gone]]
    # From everybody on the first day: 2 marks and a line of 3 points; 1 mark and a line of 2; nothing.
    assert [len(points.split()) for points in re.findall(r'points="(.*?)"', section)] == [3, 2]
    assert section.count("<circle") == 3
    assert "<script" not in section
    ET.fromstring(re.findall(r"<svg viewBox=.*?</svg>", section, re.DOTALL)[0])  # noqa: S314 - our own page


@pytest.mark.parametrize("locale", LOCALES)
def test_every_language_has_every_word_with_the_same_placeholders(locale: str) -> None:
    english, other = words("en"), words(locale)
    assert other.keys() == english.keys()
    for key, sentence in english.items():
        assert other[key].strip()
        assert sorted(re.findall(r"\{\w+\}", other[key])) == sorted(re.findall(r"\{\w+\}", sentence)), key
    assert {key.removeprefix("definition.") for key in english if key.startswith("definition.")} == set(INDICATORS)
    if locale != "en":
        same = [key for key in english if other[key] == english[key] and key != "n"]
        assert same == []


def seen(page: str) -> str:
    """Return what is read or heard of a page: its texts and the names of its plots."""
    body = re.sub(r"<style>.*?</style>", " ", page, flags=re.DOTALL)
    names = " ".join(re.findall(r'aria-label="([^"]*)"', body))
    return f"{re.sub(r'<[^>]*>', ' ', body)} {names}"


@pytest.mark.parametrize("locale", LOCALES)
def test_a_whole_report_speaks_one_language_and_leaves_nothing_to_fill_in(locale: str) -> None:
    # Given a report with every indicator, one of them shown in no week.
    cells = [cell(code, week, None if code == "silent" else 0.5) for code in INDICATORS for week in range(3)]
    text = seen(donor_report(replace(EXTRACT, cells=cells, scopes={SITE: "2026", COHORT: "2027"}, locale=locale)))
    # Then every indicator is named and defined, in this language, and nothing of a template is left.
    own = words(locale)
    for code in INDICATORS:
        assert own[f"name.{code}"] in html.unescape(text)
        # Indicators shown in no week are named in one line, without their definition.
        assert (own[f"definition.{code}"] in html.unescape(text)) is (code != "silent")
    assert not re.search(r"[{}]|None|nan|null|\bname\.|\bdefinition\.", text)
    if locale != "en":
        here = set(re.findall(r"[A-Za-z]{4,}", " ".join(own.values())))
        english = set(re.findall(r"[A-Za-z]{4,}", " ".join(words("en").values()))) - here
        assert len(english) > 50
        assert not english & set(re.findall(r"[A-Za-z]{4,}", text))
    if locale == "zh-Hans":
        # Every name and definition is written in Han characters, none was left for later.
        assert all(re.search(r"[\u4e00-\u9fff]", own[f"{part}.{code}"]) for part in ("name", "definition")
                   for code in INDICATORS)  # fmt: skip


@pytest.mark.parametrize(
    ("code", "count", "value", "read", "bound"),
    [
        ("active_use", 5, 0.1, "≤ 10 %", "at_most"), ("active_use", 45, 0.9, "≥ 90 %", "at_least"),
        ("active_use", 10, 0.2, "20 %", ""), ("listen_rate", None, 0.95, "≥ 95 %", "at_least"),
        ("listen_rate", None, 0.05, "≤ 5 %", "at_most"), ("listen_rate", None, 0.9, "90 %", ""),
    ],
)  # fmt: skip
def test_a_value_at_its_edge_says_in_every_format_that_it_stands_for_all_beyond(
    code: str, count: int | None, value: float, read: str, bound: str
) -> None:
    shown = Cell(SITE, WEEK, code, INDICATORS[code].version, 50, count, value, None, None)
    extract = replace(EXTRACT, audience=Audience.STAFF, cells=[shown])
    (row,) = csv.DictReader(io.StringIO(as_csv(extract).decode("utf-8-sig"), newline=""))
    assert row["bound"] == bound
    assert read in html.unescape(seen(donor_report(extract)))
    mapped = Dhis2Ids({code: "dEactiveUse"}, {SITE: "oUsite"})
    # DHIS2 has no sign for it.
    assert len(data_value_set([shown], Audience.STAFF, mapped, dry_run=True)["body"]["dataValues"]) == (not bound)
    assert dry_run_of([shown], Audience.STAFF, mapped).bounds == bool(bound)
    # An earlier definition had no edges.
    assert bound_of(replace(shown, version=1), Audience.STAFF) is None


def test_dhis2_takes_what_is_shown_and_mapped() -> None:
    mapped = Dhis2Ids({"active_use": "dEactiveUse", "silent": "dEsilent"}, {SITE: "oUsite"})
    cells = [*EXTRACT.cells, cell("active_use", 0, 0.55, PROGRAMME)]
    sent = data_value_set(cells, Audience.STAFF, mapped, dry_run=True)
    assert json.loads(json.dumps(sent)) == {
        "parameters": {"dryRun": True, "importStrategy": "CREATE_AND_UPDATE"},
        "body": {
            "dataValues": [{"dataElement": "dEactiveUse", "period": "2026W10", "orgUnit": "oUsite", "value": "0.6"}]
        },
    }
    assert dry_run_of(cells, Audience.STAFF, mapped) == DryRun(1, 3, 0, ("messages",), (str(PROGRAMME),))
    assert [period_of(day) for day in (date(2026, 1, 1), date(2027, 1, 1), date(2026, 2, 23))] == [
        "2026W1", "2026W53", "2026W9",
    ]  # fmt: skip


HEADLINE = Headline(sites=12, families=1_240, children=1_395, watches=1_380, recordings=86_415)


@pytest.mark.parametrize(
    ("locale", "figure", "share", "quoted"),
    [
        ("en", "86,415", "60 %", ("From 2 March 2026 to 29 March 2026", "1,240 families", "at 12 sites")),
        ("zh-Hans", "86,415", "60%", ("2026年3月2日至2026年3月29日", "1,240 个家庭", "12 个项目点")),
        ("vi", "86.415", "60 %", ("Từ 2/3/2026 đến 29/3/2026", "1.240 gia đình", "tại 12 địa điểm")),
        ("tr", "86.415", "%60", ("2 Mart 2026 ile 29 Mart 2026", "1.240 aile", "12 yerdeki")),
    ],
)
def test_the_first_page_has_the_figures_and_a_sentence_to_quote_as_each_language_writes_them(
    locale: str, figure: str, share: str, quoted: tuple[str, ...]
) -> None:
    page = donor_report(replace(EXTRACT, locale=locale, headline=HEADLINE))
    first_page = page[: page.index("</header>")]
    assert f"<dd>{figure}</dd>" in first_page
    sentence = first_page[first_page.index("<blockquote>") : first_page.index("</blockquote>")]
    number = figure.replace("86", "1").replace("415", "240")
    assert [part for part in (*quoted, f"n = {number}", figure) if part not in sentence] == []
    assert words(locale)["quote_note"].replace("'", "&#39;") in first_page
    assert share in page[page.index("</header>") :]
    assert words(locale)["simulated"] not in page


def test_a_report_without_enough_families_has_no_figures_and_a_simulated_one_says_so() -> None:
    page = donor_report(replace(EXTRACT, simulated=True))
    assert words("en")["few"] in page
    assert words("en")["simulated"] in page
    assert "<blockquote>" not in page
    # A sum of which every part is too small is left out, and with it the sentence that would state it.
    page = donor_report(replace(EXTRACT, headline=replace(HEADLINE, watches=0, recordings=0)))
    assert re.findall(r"<dt>(.*?)</dt>", page) == ["sites", "families", "children"]
    assert "<blockquote>" not in page


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        (0.86, ("0.86", "0.86", "0,86", "0,86")),
        (12_340, ("12,340", "12,340", "12.340", "12.340")),
        (7.5, ("7.5", "7.5", "7,5", "7,5")),
        (12.0, ("12", "12", "12", "12")),
    ],
)
def test_numbers_are_written_as_the_locale_does(value: float, texts: tuple[str, ...]) -> None:
    assert tuple(number_text(value, locale) for locale in LOCALES) == texts
