"""Every format holds the published cells and nothing else, whoever it is for and on whichever day it is made.

What may be concluded from those cells is attacked in tests/property/test_usage_attacker.py.
"""

from __future__ import annotations

import csv
import html
import io
import re
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.core.measurement.exports.dhis2 import Dhis2Ids, data_value_set, period_of
from services.core.measurement.exports.files import Extract, as_csv, as_xlsx
from services.core.measurement.exports.report import donor_report, formatted
from services.core.measurement.indicators.rules import INDICATORS, Cell
from services.core.measurement.publishing.coding import bound_of
from services.core.measurement.publishing.queries import extract_of, published_cells
from services.core.people.programme.queries import sites_of
from services.core.people.programme.tables import Programme
from services.core.platform.db.database import Database
from services.core.platform.disclosure import Audience
from services.core.platform.settings import Settings
from services.devstack.simulated_programme.writing import Plan, simulate
from tests.support.workbook import sheets

FIGURES = ("n", "count", "value", "lower_quartile", "upper_quartile")
# Day 0 of a spreadsheet.
EPOCH = date(1899, 12, 30)


@pytest.fixture(scope="module")
async def extracts(database: Database, settings: Settings) -> list[Extract]:
    """What each audience may read: of the programme with its sites, and of each site with its cohorts."""
    made = await simulate(database, settings, Plan(sites=3, families=160, weeks=3, seed=16))
    extracts = []
    async with database.begin() as work:
        programme = await work.session.get_one(Programme, made.programme_id)
        for audience in Audience:
            cells = {(cell.scope_id, cell.week, cell.indicator): cell
                     for cell in await published_cells(work, made.programme_id, audience)}  # fmt: skip
            wholes = [await extract_of(work, programme, audience, parts=True)]
            wholes += [await extract_of(work, programme, audience, site=site)
                       for site in await sites_of(work, programme.programme_id)]  # fmt: skip
            for extract in wholes:
                assert all(cells[cell.scope_id, cell.week, cell.indicator] == cell for cell in extract.cells)
                assert [cell for cell in extract.cells if cell.value is not None]
            extracts += wholes
    return extracts


def row_of(cell: Cell, extract: Extract) -> list[object]:
    figures = [getattr(cell, name) for name in FIGURES]
    return [cell.week, extract.scopes[cell.scope_id], cell.indicator, cell.version, *figures, cell.value is None,
            bound_of(cell, extract.audience)]  # fmt: skip


async def test_csv_and_xlsx_are_the_published_cells_cell_by_cell(extracts: Sequence[Extract]) -> None:
    for extract in extracts:
        wanted = [["" if value is None else str(value) for value in row_of(cell, extract)] for cell in extract.cells]
        assert list(csv.reader(io.StringIO(as_csv(extract).decode("utf-8-sig"), newline="")))[1:] == wanted
        book = sheets(as_xlsx(extract))
        # An empty cell is not written, whatever it would have held.
        read = [[value for _, value in row] for row in book["data"][1:]]
        assert len(read) == len(extract.cells)
        for row, cell in zip(read, extract.cells, strict=True):
            filled = [value for value in row_of(cell, extract) if value is not None]
            assert EPOCH + timedelta(days=int(row[0] or 0)) == filled[0]
            assert [_plain(value) for value in row[1:]] == [_plain(value) for value in filled[1:]]


def _plain(value: object) -> object:
    """Return a number as such, however it is written; a spreadsheet writes 1 for true."""
    if isinstance(value, bool):
        return float(value)
    try:
        return float(str(value))
    except ValueError:
        return value


async def test_the_codebook_counts_what_is_seen_in_the_data(extracts: Sequence[Extract]) -> None:
    for extract in extracts:
        for row in sheets(as_xlsx(extract))["codebook"][1:]:
            code, *_, most, cells, hidden = [value for _, value in row]
            mine = [cell for cell in extract.cells if cell.indicator == code]
            assert (most, cells, hidden) == (
                str(max(cell.n or 0 for cell in mine)), str(len(mine)), str(sum(cell.value is None for cell in mine)),
            )  # fmt: skip


async def test_dhis2_holds_shown_values_that_stand_for_themselves(extracts: Sequence[Extract]) -> None:
    for extract in extracts:
        mapped = Dhis2Ids({code: f"d{code}" for code in INDICATORS}, {scope: f"o{scope}" for scope in extract.scopes})
        sent = data_value_set(extract.cells, extract.audience, mapped, dry_run=False)["body"]["dataValues"]
        assert sent == [
            {"dataElement": f"d{cell.indicator}", "period": period_of(cell.week), "orgUnit": f"o{cell.scope_id}",
             "value": f"{cell.value:g}"}
            for cell in extract.cells
            if cell.value is not None and bound_of(cell, extract.audience) is None
        ]  # fmt: skip


async def test_a_report_says_the_latest_shown_values_of_its_own_scope(extracts: Sequence[Extract]) -> None:
    for extract in extracts:
        own = next(iter(extract.scopes))
        page = donor_report(extract)
        latest: dict[str, Cell] = {
            cell.indicator: cell
            for cell in sorted(extract.cells, key=lambda cell: cell.week)
            if cell.scope_id == own and cell.value is not None
        }
        values = [html.unescape(text) for text in re.findall(r'<p class="now">(.*?) <small>', page)]
        assert sorted(values) == sorted(formatted(cell, "en", extract.audience) for cell in latest.values())


async def test_the_same_file_on_another_day_differs_in_its_day_alone(extracts: Sequence[Extract]) -> None:
    extract = extracts[0]
    later = replace(extract, made_at=extract.made_at + timedelta(days=40))
    assert as_csv(later) == as_csv(extract)
    first, other = sheets(as_xlsx(extract)), sheets(as_xlsx(later))
    differing = {name for name in first if first[name] != other[name]}
    assert differing == {"provenance"}
    assert [row[0][1] for row, same in zip(first["provenance"], other["provenance"], strict=True) if row != same] == [
        "made_at"
    ]


async def test_what_the_public_is_shown_is_shown_to_staff(extracts: Sequence[Extract]) -> None:
    def shown(audience: Audience) -> set[tuple[uuid.UUID, date, str]]:
        return {
            (cell.scope_id, cell.week, cell.indicator)
            for extract in extracts
            if extract.audience is audience
            for cell in extract.cells
            if cell.value is not None
        }

    assert shown(Audience.PUBLIC) < shown(Audience.STAFF)
