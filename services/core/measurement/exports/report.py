"""The report for those who pay: one HTML page that needs nothing else, to read on a screen or to print. Pure.

Plots are inline SVG without scripts. A week that is not shown is a gap in its line, and is counted below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from services.core.measurement.exports.files import Extract
from services.core.measurement.exports.survival_curve import survival_section
from services.core.measurement.exports.words import words
from services.core.measurement.indicators.rules import INDICATORS, Cell, Kind
from services.core.platform.disclosure import LEAST

_WIDTH: Final = 640
_HEIGHT: Final = 150
_LEFT: Final = 44
_BOTTOM: Final = 24
_TOP: Final = 10
_IN_PER_CENT: Final = frozenset({Kind.SHARE_OF_FAMILIES, Kind.SHARE_OF_WEEKS, Kind.RATIO, Kind.SURVIVAL})

_STYLE: Final = """
body{font:16px/1.5 system-ui,"Noto Sans","Noto Sans CJK SC",sans-serif;color:#1c2733;max-width:720px;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.7rem;margin:0}h2{font-size:1.1rem;margin:0 0 .2rem}
.note{border-left:4px solid #b45309;background:#fff7ed;padding:.5rem .8rem}
section{break-inside:avoid;border-top:1px solid #d5dbe1;padding:1rem 0}
.definition,.foot{color:#4b5966;font-size:.88rem;margin:.1rem 0}
.now{font-size:1.5rem;font-weight:600;margin:.2rem 0}.now small{font-size:.85rem;font-weight:400;color:#4b5966}
svg{width:100%;height:auto}svg.key{width:24px;height:8px}
table{border-collapse:collapse;font-size:.9rem}th{font-weight:400;text-align:left}
td,th{padding:.15rem .8rem .15rem 0}svg text{font:11px system-ui,sans-serif;fill:#4b5966}
@media print{body{margin:0;max-width:none;font-size:11pt}}
"""


def donor_report(extract: Extract) -> str:
    """Return the report of the extract's first scope, a site or the programme; all are in the survival curve."""
    text = words(extract.locale)
    own = next(iter(extract.scopes))
    scope_name = extract.scopes[own]
    cells = [cell for cell in extract.cells if cell.scope_id == own]
    weeks = sorted({cell.week for cell in cells})
    period = (
        text["period"].format(first=weeks[0].isoformat(), last=weeks[-1].isoformat(), weeks=len(weeks)) if weeks else ""
    )
    sections = [
        _section(code, sorted((cell for cell in cells if cell.indicator == code), key=lambda cell: cell.week),
                 extract.locale)
        for code in INDICATORS
    ]  # fmt: skip
    sections.append(survival_section(extract.cells, extract.scopes, extract.locale))
    limits = text["suppression"].format(least=LEAST[extract.audience])
    made_on = text["made_at"].format(day=extract.made_at.date().isoformat())
    foot = f"{escape(text['unit'])}<br>{escape(limits)}<br>{escape(made_on)}"
    return "\n".join(
        [
            "<!doctype html>",
            f'<html lang="{extract.locale}"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            # Nothing is fetched and nothing runs, whatever stands in a name.
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            f"<title>{escape(text['title'])}: {escape(scope_name)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{escape(text['title'])}</h1>",
            f"<p><strong>{escape(scope_name)}</strong> · {escape(period)}</p>",
            f'<p class="note">{escape(text["not_impact"])}</p>',
            f'<p class="foot">{foot}</p>',
            *(section for section in sections if section),
            "</body></html>",
        ]
    )


def _section(code: str, cells: Sequence[Cell], locale: str) -> str:
    if not cells:
        return ""
    text = words(locale)
    shown = [cell for cell in cells if cell.value is not None]
    hidden = text["weeks_hidden"].format(count=len(cells) - len(shown), weeks=len(cells))
    if shown:
        latest = shown[-1]
        now = (
            f'<p class="now">{escape(told(latest))} <small>{escape(text["latest"])} {latest.week.isoformat()}, '
            f"{escape(text['n'])} = {latest.n}</small></p>{_plot(code, cells, locale)}"
        )
    else:
        now = f'<p class="now">{escape(text["suppressed"])}</p>'
    return (
        f"<section><h2>{escape(text[f'name.{code}'])}</h2>"
        f'<p class="definition">{escape(text[f"definition.{code}"])} · {escape(text["version"])} '
        f"{cells[-1].version}</p>{now}"
        f'<p class="foot">{escape(hidden)}</p></section>'
    )


def told(cell: Cell) -> str:
    """Return a value as people read it, with its quartiles where they are shown."""
    middle = _figure(cell.indicator, cell.value or 0)
    if cell.lower_quartile is None or cell.upper_quartile is None:
        return middle
    lower, upper = (_figure(cell.indicator, value) for value in (cell.lower_quartile, cell.upper_quartile))
    return f"{middle} ({lower}\N{EN DASH}{upper})"


def _figure(code: str, value: float) -> str:
    return f"{value * 100:.0f} %" if INDICATORS[code].kind in _IN_PER_CENT else f"{value:g}"


def _plot(code: str, cells: Sequence[Cell], locale: str) -> str:
    """Return the weeks as a line with the quartiles as a band; both end where a week is not shown."""
    top = 1.0 if INDICATORS[code].kind in _IN_PER_CENT else max(
        max(cell.value or 0, cell.upper_quartile or 0) for cell in cells) or 1.0  # fmt: skip
    step = (_WIDTH - _LEFT - 8) / max(len(cells) - 1, 1)

    def x(place: int) -> float:
        return round(_LEFT + place * step, 1)

    def y(value: float) -> float:
        return round(_TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - value / top), 1)

    drawn = []
    for height in (0.0, top / 2, top):
        drawn.append(f'<line x1="{_LEFT}" x2="{_WIDTH - 8}" y1="{y(height)}" y2="{y(height)}" stroke="#d5dbe1"/>')
        drawn.append(
            f'<text x="{_LEFT - 6}" y="{y(height) + 4}" text-anchor="end">'
            f"{escape(_figure(code, round(height, 1)))}</text>"
        )
    for run in _runs(cells):
        band = [(place, cells[place]) for place in run if cells[place].lower_quartile is not None]
        if len(band) > 1:
            edge = [f"{x(place)},{y(cell.upper_quartile or 0)}" for place, cell in band]
            edge += [f"{x(place)},{y(cell.lower_quartile or 0)}" for place, cell in reversed(band)]
            drawn.append(f'<polygon points="{" ".join(edge)}" fill="#0f766e" opacity=".15"/>')
        points = [f"{x(place)},{y(cells[place].value or 0)}" for place in run]
        drawn.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="#0f766e" stroke-width="2"/>')
        if len(run) == 1:
            drawn.append(f'<circle cx="{x(run[0])}" cy="{y(cells[run[0]].value or 0)}" r="2.5" fill="#0f766e"/>')
    for place in {0, len(cells) // 2, len(cells) - 1}:
        anchor = "start" if place == 0 else "end" if place == len(cells) - 1 else "middle"
        drawn.append(
            f'<text x="{x(place)}" y="{_HEIGHT - 6}" text-anchor="{anchor}">{cells[place].week.isoformat()}</text>'
        )
    name = escape(words(locale)[f"name.{code}"])
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{name}">{"".join(drawn)}</svg>'


def _runs(cells: Sequence[Cell]) -> list[list[int]]:
    """Return the places of the weeks that are shown, each unbroken run by itself."""
    runs: list[list[int]] = [[]]
    for place, cell in enumerate(cells):
        if cell.value is None:
            runs.append([])
        else:
            runs[-1].append(place)
    return [run for run in runs if run]
