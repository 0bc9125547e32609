"""The survival section of a report: the share of families that still take part, a line for each scope. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.core.measurement.exports.figures import per_cent_text
from services.core.measurement.exports.plots import Curve, Plot, colour_of, dashes_of, plot_of_survival
from services.core.measurement.exports.words import words
from services.core.measurement.indicators.rules import SURVIVAL_DAYS, Cell

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


def curve_of(cells: Sequence[Cell]) -> Curve:
    """Return the shares by day of the latest week in which any share is shown; ``cells`` are of one scope."""
    shown = [cell for cell in cells if cell.indicator in _CODE_OF.values() and cell.value is not None]
    latest = max((cell.week for cell in shown), default=None)
    of_week = {cell.indicator: cell.value for cell in shown if cell.week == latest}
    return {day: value for day, code in _CODE_OF.items() if (value := of_week.get(code)) is not None}


def survival_section(cells: Sequence[Cell], scopes: Mapping[uuid.UUID, str], locale: str) -> SurvivalSection | None:
    """Return a line and a row of the table for each scope; None when no share of any scope is shown."""
    curves = [(name, curve_of([cell for cell in cells if cell.scope_id == scope])) for scope, name in scopes.items()]
    if not any(curve for _, curve in curves):
        return None
    text = words(locale)
    rows = tuple(
        SurvivalRow(
            name, colour_of(place), dashes_of(place),
            tuple(per_cent_text(curve[day], locale) if day in curve else text["suppressed"] for day in SURVIVAL_DAYS),
        )
        for place, (name, curve) in enumerate(curves)
    )  # fmt: skip
    headings = tuple(text["after_days"].format(days=day) for day in SURVIVAL_DAYS)
    return SurvivalSection(plot_of_survival([curve for _, curve in curves]), headings, rows)
