"""The survival curve of a report: how many still take part after so many days, a line for each cohort. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from services.core.measurement.exports.words import words
from services.core.measurement.indicators.rules import SURVIVAL_DAYS, Cell

_WIDTH: Final = 640
_HEIGHT: Final = 170
_LEFT: Final = 44
_RIGHT: Final = 14
_BOTTOM: Final = 24
_TOP: Final = 10
_COLOURS: Final = ("#1c2733", "#0f766e", "#b45309", "#4338ca", "#be185d", "#4d7c0f")
# Beyond the colours, and for whoever does not see them.
_DASHES: Final = ("", "6 3", "2 3", "8 3 2 3")
_CODE_OF: Final = {day: f"survival_{day}" for day in SURVIVAL_DAYS}

Curve = dict[int, float]


def curve_of(cells: Sequence[Cell]) -> Curve:
    """Return the shares by day of the latest week in which any is shown; cells of one scope."""
    shown = [cell for cell in cells if cell.indicator in _CODE_OF.values() and cell.value is not None]
    latest = max((cell.week for cell in shown), default=None)
    of_week = {cell.indicator: cell.value for cell in shown if cell.week == latest}
    return {day: value for day, code in _CODE_OF.items() if (value := of_week.get(code)) is not None}


def survival_section(cells: Sequence[Cell], scopes: Mapping[uuid.UUID, str], locale: str) -> str:
    """Return the section with a line and a row of the table for each scope; nothing when none is shown."""
    curves = {name: curve_of([cell for cell in cells if cell.scope_id == scope]) for scope, name in scopes.items()}
    if not any(curves.values()):
        return ""
    text = words(locale)
    return (
        f"<section><h2>{escape(text['curve'])}</h2>"
        f'<p class="definition">{escape(text["curve_definition"])}</p>'
        f"{_plot(list(curves.values()), locale)}{_table(curves, locale)}</section>"
    )


def _table(curves: Mapping[str, Curve], locale: str) -> str:
    text = words(locale)
    heading = "".join(f"<th>{escape(text['after_days'].format(days=day))}</th>" for day in SURVIVAL_DAYS)
    rows = []
    for place, (name, curve) in enumerate(curves.items()):
        figures = "".join(
            f"<td>{escape(f'{curve[day] * 100:.0f} %' if day in curve else text['suppressed'])}</td>"
            for day in SURVIVAL_DAYS
        )
        key = f'<svg class="key" viewBox="0 0 24 8" aria-hidden="true"><path d="M0 4H24" {_stroke(place)}/></svg>'
        rows.append(f"<tr><th>{key} {escape(name)}</th>{figures}</tr>")
    return f"<table><tr><td></td>{heading}</tr>{''.join(rows)}</table>"


def _plot(curves: Sequence[Curve], locale: str) -> str:
    def x(day: int) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * day / SURVIVAL_DAYS[-1], 1)

    def y(share: float) -> float:
        return round(_TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - share), 1)

    drawn = [
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(share)}" y2="{y(share)}" stroke="#d5dbe1"/>'
        f'<text x="{_LEFT - 6}" y="{y(share) + 4}" text-anchor="end">{share * 100:.0f} %</text>'
        for share in (0.0, 0.5, 1.0)
    ]
    drawn += [
        f'<text x="{x(day)}" y="{_HEIGHT - 6}" text-anchor="{"end" if day == SURVIVAL_DAYS[-1] else "middle"}">'
        f"{day}</text>"
        for day in (0, *SURVIVAL_DAYS)
    ]
    for place, curve in enumerate(curves):
        if curve:
            # Everybody takes part on the first day. What is not shown in between is not drawn as known: no mark.
            points = " ".join(f"{x(day)},{y(share)}" for day, share in {0: 1.0, **curve}.items())
            drawn.append(f'<polyline points="{points}" {_stroke(place)}/>')
            drawn += [
                f'<circle cx="{x(day)}" cy="{y(share)}" r="3" fill="{_COLOURS[place % len(_COLOURS)]}"/>'
                for day, share in curve.items()
            ]
    name = escape(words(locale)["curve"])
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{name}">{"".join(drawn)}</svg>'


def _stroke(place: int) -> str:
    colour, dashes = _COLOURS[place % len(_COLOURS)], _DASHES[place // len(_COLOURS) % len(_DASHES)]
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'fill="none" stroke="{colour}" stroke-width="2"{dashed}'
