"""The survival section of a report: the share of families that still take part, a line for each scope. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.core.measurement.exports.figures import bounded_text, per_cent_text
from services.core.measurement.exports.files import Extract
from services.core.measurement.exports.plots import Plot, colour_of, dashes_of, plot_of_survival
from services.core.measurement.exports.words import words
from services.core.measurement.indicators.rules import SURVIVAL_DAYS, Cell
from services.core.measurement.publishing.coding import bound_of

_CODE_OF: Final = {day: f"survival_{day}" for day in SURVIVAL_DAYS}


@dataclass(frozen=True)
class SurvivalRow:
    """A row of the table: a scope's name, its key in the plot, and a figure for each day."""

    name: str
    colour: str
    dashes: str
    figures: tuple[str, ...]


@dataclass(frozen=True)
class SurvivalSection:
    """The plot and its table."""

    plot: Plot
    headings: tuple[str, ...]
    rows: tuple[SurvivalRow, ...]


def curve_of(cells: Sequence[Cell]) -> dict[int, Cell]:
    """Return the cells by day of the latest week in which any share is shown; ``cells`` are of one scope."""
    shown = [cell for cell in cells if cell.indicator in _CODE_OF.values() and cell.value is not None]
    latest = max((cell.week for cell in shown), default=None)
    of_week = {cell.indicator: cell for cell in shown if cell.week == latest}
    return {day: of_week[code] for day, code in _CODE_OF.items() if code in of_week}


def survival_section(extract: Extract) -> SurvivalSection | None:
    """Return a line and a row of the table for each scope with a share that is shown; None without one."""
    curves = [
        (name, curve)
        for scope, name in extract.scopes.items()
        if (curve := curve_of([cell for cell in extract.cells if cell.scope_id == scope]))
    ]
    if not curves:
        return None
    text = words(extract.locale)
    rows = tuple(
        SurvivalRow(
            name, colour_of(place), dashes_of(place),
            tuple(_figure(curve[day], extract) if day in curve else text["suppressed"] for day in SURVIVAL_DAYS),
        )
        for place, (name, curve) in enumerate(curves)
    )  # fmt: skip
    headings = tuple(text["after_days"].format(days=day) for day in SURVIVAL_DAYS)
    shares = [{day: cell.value or 0 for day, cell in curve.items()} for _, curve in curves]
    return SurvivalSection(plot_of_survival(shares), headings, rows)


def _figure(cell: Cell, extract: Extract) -> str:
    return bounded_text(per_cent_text(cell.value or 0, extract.locale), bound_of(cell, extract.audience))
