"""The report for donors: one self-contained HTML page, to read on a screen or to print. Pure.

The first page holds the figures of the whole and a sentence to quote. Indicators follow in groups, the weightiest
first; those that are shown in no week stand together in one line. Plots are inline SVG without scripts. A week that is
not shown is a gap in its line and is counted below the plot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Final

from services.core.measurement.exports.figures import bounded_text, number_text, per_cent_text
from services.core.measurement.exports.files import Extract
from services.core.measurement.exports.plots import Plot, plot_of_weeks
from services.core.measurement.exports.survival_curve import survival_section
from services.core.measurement.exports.words import suppression_text, words
from services.core.measurement.indicators.rules import INDICATORS, SURVIVAL_DAYS, Cell, Kind
from services.core.measurement.publishing.coding import bound_of
from services.core.measurement.publishing.headlines import Headline
from services.core.office.papers.wording import date_text
from services.core.platform.disclosure import LEAST, Audience

if TYPE_CHECKING:
    from jinja2 import Template

# The groups in the order of their weight, and the indicators of each.
_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "use": ("active_use", "messages", "voice_s", "calls", "reciprocity", "regularity", "longest_gap_days"),
    "answer": ("response_child_h", "response_parent_h", "listen_rate", "reminders_followed"),
    "stay": (
        "silent",
        "drop_out",
        "drop_out_silent",
        "drop_out_returned",
        *(f"survival_{day}" for day in SURVIVAL_DAYS),
    ),
    "device": ("delivered_5_min", "delivered_24_h", "uptime", "worn_h", "low_battery_days", "reboots"),
}
_FIRST_PAGE: Final = ("sites", "families", "children", "watches", "recordings")
_IN_PER_CENT: Final = frozenset({Kind.SHARE_OF_FAMILIES, Kind.RATIO, Kind.SURVIVAL})


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


@dataclass(frozen=True)
class Group:
    """Indicators of one subject; those without a shown week are named in ``hidden``."""

    title: str
    sections: Sequence[IndicatorSection]
    hidden: str


@dataclass(frozen=True)
class FirstPage:
    """The figures of the whole with their names, and the sentence that may be quoted."""

    figures: Sequence[tuple[str, str]]
    quote: str


def donor_report(extract: Extract) -> str:
    """Return the report of the extract's first scope, a site or the programme; its survival section has all scopes."""
    text = words(extract.locale)
    own = next(iter(extract.scopes))
    cells = [cell for cell in extract.cells if cell.scope_id == own]
    weeks = sorted({cell.week for cell in cells})
    first, last = (
        (date_text(weeks[0], extract.locale), date_text(weeks[-1] + timedelta(days=6), extract.locale))
        if weeks
        else ("", "")
    )
    period = text["period"].format(first=first, last=last, weeks=len(weeks)) if weeks else ""
    groups = [_group(title, codes, cells, extract) for title, codes in _GROUPS.items()]
    return _template().render(
        locale=extract.locale,
        text=text,
        scope_name=extract.scopes[own],
        period=period,
        suppression=suppression_text(text, extract.audience),
        made_on=text["made_at"].format(day=date_text(extract.made_at.date(), extract.locale)),
        sites_note=text["sites_note"].format(least=LEAST[extract.audience]),
        simulated=extract.simulated,
        first_page=_first_page(extract.headline, first, last, extract.locale) if weeks else None,
        groups=[group for group in groups if group.sections or group.hidden],
        survival=survival_section(extract),
    )


def formatted(cell: Cell, locale: str, audience: Audience) -> str:
    """Return a shown value as readers of the locale write it, with its quartiles or its bound where it has them."""
    middle = bounded_text(_figure(cell.indicator, cell.value or 0, locale), bound_of(cell, audience))
    if cell.lower_quartile is None or cell.upper_quartile is None:
        return middle
    lower, upper = (_figure(cell.indicator, value, locale) for value in (cell.lower_quartile, cell.upper_quartile))
    return f"{middle} ({lower}\N{EN DASH}{upper})"


def _first_page(headline: Headline | None, first: str, last: str, locale: str) -> FirstPage | None:
    if headline is None:
        return None
    text = words(locale)
    figures = {name: getattr(headline, name) for name in _FIRST_PAGE}
    # A sum of children or watches of which every part is too small is not shown.
    shown = {name: number_text(value, locale) for name, value in figures.items() if value}
    quote = ""
    if {"sites", "families", "recordings"} <= shown.keys():
        quote = text["quote"].format(first=first, last=last, **shown)
    return FirstPage([(text[f"first.{name}"], value) for name, value in shown.items()], quote)


def _group(title: str, codes: Sequence[str], cells: Sequence[Cell], extract: Extract) -> Group:
    text = words(extract.locale)
    sections = [
        _section(code, sorted(of_code, key=lambda cell: cell.week), extract)
        for code in codes
        if (of_code := [cell for cell in cells if cell.indicator == code])
    ]
    hidden = ", ".join(section.name for section in sections if section.plot is None)
    return Group(
        text[f"group.{title}"],
        [section for section in sections if section.plot is not None],
        text["all_hidden"].format(names=hidden) if hidden else "",
    )


def _section(code: str, cells: Sequence[Cell], extract: Extract) -> IndicatorSection:
    locale = extract.locale
    text = words(locale)
    shown = [cell for cell in cells if cell.value is not None]
    name, definition, version = text[f"name.{code}"], text[f"definition.{code}"], cells[-1].version
    hidden = text["weeks_hidden"].format(count=len(cells) - len(shown), weeks=len(cells))
    if not shown:
        return IndicatorSection(name, definition, version, hidden)
    latest = shown[-1]
    top = 1.0 if INDICATORS[code].kind in _IN_PER_CENT else max(
        max(cell.value or 0, cell.upper_quartile or 0) for cell in cells) or 1.0  # fmt: skip
    plot = plot_of_weeks(cells, top, lambda value: _figure(code, value, locale), lambda day: date_text(day, locale))
    return IndicatorSection(
        name, definition, version, hidden, formatted(latest, locale, extract.audience),
        text["week"].format(day=date_text(latest.week, locale)), latest.n, plot,
    )  # fmt: skip


def _figure(code: str, value: float, locale: str) -> str:
    if INDICATORS[code].kind in _IN_PER_CENT:
        return per_cent_text(value, locale)
    return number_text(value, locale)


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - no process needs it at its start

    # Names of programmes and sites are free text: every value is escaped, and a missing one is an error, not a gap.
    environment = Environment(
        loader=PackageLoader("services.core.measurement.exports"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True,
    )  # fmt: skip
    return environment.get_template("report.html.jinja")
