"""The report for donors: one self-contained HTML page, to read on a screen or to print. Pure.

Plots are inline SVG without scripts. A week that is not shown is a gap in its line and is counted below the plot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from services.core.measurement.exports.files import Extract
from services.core.measurement.exports.plots import Plot, plot_of_weeks
from services.core.measurement.exports.survival_curve import survival_section
from services.core.measurement.exports.words import words
from services.core.measurement.indicators.rules import INDICATORS, Cell, Kind
from services.core.platform.disclosure import LEAST

_IN_PER_CENT: Final = frozenset({Kind.SHARE_OF_FAMILIES, Kind.SHARE_OF_WEEKS, Kind.RATIO, Kind.SURVIVAL})


@dataclass(frozen=True)
class IndicatorSection:
    """One indicator as the template prints it; ``latest`` is empty when no week is shown."""

    name: str
    definition: str
    version: int
    hidden: str
    latest: str = ""
    latest_week: str = ""
    n: int | None = None
    plot: Plot | None = None


def donor_report(extract: Extract) -> str:
    """Return the report of the extract's first scope, a site or the programme; its survival section has all scopes."""
    text = words(extract.locale)
    own = next(iter(extract.scopes))
    cells = [cell for cell in extract.cells if cell.scope_id == own]
    weeks = sorted({cell.week for cell in cells})
    period = (
        text["period"].format(first=weeks[0].isoformat(), last=weeks[-1].isoformat(), weeks=len(weeks)) if weeks else ""
    )
    sections = [
        _section(code, sorted(of_code, key=lambda cell: cell.week), extract.locale)
        for code in INDICATORS
        if (of_code := [cell for cell in cells if cell.indicator == code])
    ]
    return _template().render(
        locale=extract.locale,
        text=text,
        scope_name=extract.scopes[own],
        period=period,
        suppression=text["suppression"].format(least=LEAST[extract.audience]),
        made_on=text["made_at"].format(day=extract.made_at.date().isoformat()),
        sections=sections,
        survival=survival_section(extract.cells, extract.scopes, extract.locale),
    )


def formatted(cell: Cell) -> str:
    """Return a shown value as people read it, with its quartiles where they are shown."""
    middle = _figure(cell.indicator, cell.value or 0)
    if cell.lower_quartile is None or cell.upper_quartile is None:
        return middle
    lower, upper = (_figure(cell.indicator, value) for value in (cell.lower_quartile, cell.upper_quartile))
    return f"{middle} ({lower}\N{EN DASH}{upper})"


def _section(code: str, cells: Sequence[Cell], locale: str) -> IndicatorSection:
    text = words(locale)
    shown = [cell for cell in cells if cell.value is not None]
    name, definition, version = text[f"name.{code}"], text[f"definition.{code}"], cells[-1].version
    hidden = text["weeks_hidden"].format(count=len(cells) - len(shown), weeks=len(cells))
    if not shown:
        return IndicatorSection(name, definition, version, hidden)
    latest = shown[-1]
    top = 1.0 if INDICATORS[code].kind in _IN_PER_CENT else max(
        max(cell.value or 0, cell.upper_quartile or 0) for cell in cells) or 1.0  # fmt: skip
    plot = plot_of_weeks(cells, top, lambda value: _figure(code, value))
    return IndicatorSection(
        name, definition, version, hidden, formatted(latest), latest.week.isoformat(), latest.n, plot
    )


def _figure(code: str, value: float) -> str:
    return f"{value * 100:.0f} %" if INDICATORS[code].kind in _IN_PER_CENT else f"{value:g}"


@cache
def _template() -> Template:
    # Names of programmes and sites are free text: every value is escaped, and a missing one is an error, not a gap.
    environment = Environment(
        loader=PackageLoader("services.core.measurement.exports"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True,
    )  # fmt: skip
    return environment.get_template("report.html.jinja")
