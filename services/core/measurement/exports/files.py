"""Published cells as files: CSV and typed XLSX with data, labels, codebook and provenance. Pure: bytes out.

Cells have passed :mod:`services.core.platform.disclosure`; an empty cell is a suppressed one.
"""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from services.core.measurement.exports.words import suppression_text, words
from services.core.measurement.indicators.rules import INDICATORS, Cell
from services.core.measurement.publishing.coding import bound_of
from services.core.measurement.publishing.headlines import Headline
from services.core.platform.disclosure import LEAST, ROUNDED_TO, Audience

COLUMNS: Final = (
    "week", "scope", "indicator", "version", "n", "count", "value", "lower_quartile", "upper_quartile", "suppressed",
    "bound",
)  # fmt: skip
# Spreadsheets evaluate texts that begin with one of these.
_FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Extract:
    """Content of a file: cells, the names of their scopes, and their provenance."""

    title: str
    audience: Audience
    cells: Sequence[Cell]
    scopes: Mapping[uuid.UUID, str]
    made_at: datetime
    locale: str = "en"
    # The figures of a report's first page; None: too few families, or a file without one.
    headline: Headline | None = None
    simulated: bool = False

    @property
    def provenance(self) -> list[tuple[str, str]]:
        """Return the origin of the numbers and the processing applied to them."""
        text = words(self.locale)
        weeks = sorted({cell.week for cell in self.cells})
        return [
            ("title", self.title),
            ("made_at", self.made_at.isoformat(timespec="seconds")),
            ("audience", self.audience.value),
            ("first_week", weeks[0].isoformat() if weeks else ""),
            ("last_week", weeks[-1].isoformat() if weeks else ""),
            ("least_families", str(LEAST[self.audience])),
            ("rounded_to", str(ROUNDED_TO)),
            *([("simulated", text["simulated"])] if self.simulated else []),
            ("suppression", suppression_text(text, self.audience)),
            ("unit", text["unit"]),
            ("medians", text["medians"]),
            ("bounds", text["bounds"]),
            ("reading", text["not_impact"]),
        ]

    def rows(self) -> list[tuple[Any, ...]]:
        """Return the data, one row a cell, in the order of COLUMNS; dates and numbers keep their types."""
        return [
            (
                cell.week, self.scopes[cell.scope_id], cell.indicator, cell.version, cell.n, cell.count, cell.value,
                cell.lower_quartile, cell.upper_quartile, cell.value is None, bound_of(cell, self.audience),
            )
            for cell in self.cells
        ]  # fmt: skip

    def codebook(self) -> list[tuple[Any, ...]]:
        """Return each indicator's definition, its kind, and how many of its cells are suppressed."""
        text = words(self.locale)
        book = []
        for code, indicator in INDICATORS.items():
            mine = [cell for cell in self.cells if cell.indicator == code]
            if mine:
                hidden = sum(cell.value is None for cell in mine)
                most = max((cell.n or 0 for cell in mine), default=0)
                book.append((code, indicator.version, text[f"name.{code}"], text[f"definition.{code}"],
                             indicator.kind.value, most, len(mine), hidden))  # fmt: skip
        return book


CODEBOOK_COLUMNS: Final = ("indicator", "version", "name", "definition", "kind", "n_at_most", "cells", "suppressed")


def as_csv(extract: Extract) -> bytes:
    """Return the data as CSV in UTF-8 with a byte order mark, by which spreadsheets recognise the encoding."""
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in extract.rows():
        writer.writerow(["" if value is None else _tame(value) for value in row])
    return page.getvalue().encode("utf-8-sig")


def as_xlsx(extract: Extract) -> bytes:
    """Return a workbook with data, labels, codebook and provenance; the same extract gives the same bytes."""
    import xlsxwriter  # noqa: PLC0415 - no process needs it at its start

    page = io.BytesIO()
    book = xlsxwriter.Workbook(page, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": extract.title, "created": extract.made_at.replace(tzinfo=None)})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    bold = book.add_format({"bold": True})
    text = words(extract.locale)
    labels = [(code, text[f"name.{code}"]) for code in INDICATORS]
    labels += [(word, text[word]) for word in ("n", "version", "indicator", "suppressed", "families")]
    sheets: list[tuple[str, Sequence[str], Sequence[tuple[Any, ...]]]] = [
        ("data", COLUMNS, extract.rows()),
        ("labels", ("code", "label"), labels),
        ("codebook", CODEBOOK_COLUMNS, extract.codebook()),
        ("provenance", ("what", "value"), extract.provenance),
    ]
    for name, heading, rows in sheets:
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, heading, bold)
        for line, row in enumerate(rows, start=1):
            for column, value in enumerate(row):
                if isinstance(value, date):
                    sheet.write_datetime(line, column, datetime(value.year, value.month, value.day), day)  # noqa: DTZ001 - a day has no zone
                elif value is not None:
                    sheet.write(line, column, value)
    book.close()
    return page.getvalue()


def _tame(value: object) -> object:
    """Return a cell value that no spreadsheet evaluates as a formula."""
    if isinstance(value, str) and value.startswith(_FORMULA_SIGNS):
        return f"'{value}"
    return value
