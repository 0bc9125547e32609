"""Geometry of the report's plots. Pure: from cells to coordinates; the template draws them as SVG.

Coordinates are user units of the SVG's view box, origin at the top left. A value that is not shown has no point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.core.measurement.indicators.rules import SURVIVAL_DAYS, Cell

WIDTH: Final = 640
LEFT: Final = 44
BOTTOM: Final = 24
TOP: Final = 10
WEEKS_HEIGHT: Final = 150
WEEKS_RIGHT: Final = 8
SURVIVAL_HEIGHT: Final = 170
SURVIVAL_RIGHT: Final = 14
COLOURS: Final = ("#1c2733", "#0f766e", "#b45309", "#4338ca", "#be185d", "#4d7c0f")
# Dash patterns distinguish more curves than there are colours, also for readers who do not see the colours.
DASHES: Final = ("", "6 3", "2 3", "8 3 2 3")

Curve = Mapping[int, float]
"""Share of families that still take part, by days since enrolment."""


@dataclass(frozen=True)
class Label:
    """A text at a point; ``anchor`` is SVG's text-anchor."""

    x: float
    y: float
    text: str
    anchor: str


@dataclass(frozen=True)
class Line:
    """A polyline with the points that are marked on it; ``band`` is the outline of the quartiles around it."""

    points: str
    marks: tuple[tuple[float, float], ...] = ()
    band: str = ""
    colour: str = "#0f766e"
    dashes: str = ""


@dataclass(frozen=True)
class Plot:
    """A plot: horizontal grid lines by their y, labels, lines."""

    width: int
    height: int
    left: int
    right: int
    grid: tuple[float, ...]
    labels: tuple[Label, ...]
    lines: tuple[Line, ...]


def plot_of_weeks(
    cells: Sequence[Cell], top: float, figure: Callable[[float], str], day: Callable[[date], str]
) -> Plot:
    """Return the plot of one indicator, a point a week; lines and bands end where a week is not shown."""
    step = (WIDTH - LEFT - WEEKS_RIGHT) / max(len(cells) - 1, 1)

    def x(place: int) -> float:
        return round(LEFT + place * step, 1)

    def y(value: float) -> float:
        return round(TOP + (WEEKS_HEIGHT - TOP - BOTTOM) * (1 - value / top), 1)

    heights = (0.0, top / 2, top)
    labels = [Label(LEFT - 6, y(height) + 4, figure(round(height, 1)), "end") for height in heights]
    for place in sorted({0, len(cells) // 2, len(cells) - 1}):
        anchor = "start" if place == 0 else "end" if place == len(cells) - 1 else "middle"
        labels.append(Label(x(place), WEEKS_HEIGHT - 6, day(cells[place].week), anchor))
    lines = []
    for run in unbroken_runs(cells):
        points = [(x(place), y(cells[place].value or 0)) for place in run]
        quartiles = [(place, cells[place]) for place in run if cells[place].lower_quartile is not None]
        upper = [(x(place), y(cell.upper_quartile or 0)) for place, cell in quartiles]
        lower = [(x(place), y(cell.lower_quartile or 0)) for place, cell in reversed(quartiles)]
        band = _points(upper + lower) if len(quartiles) > 1 else ""
        lines.append(Line(_points(points), tuple(points) if len(points) == 1 else (), band))
    return Plot(
        WIDTH, WEEKS_HEIGHT, LEFT, WEEKS_RIGHT, tuple(y(height) for height in heights), tuple(labels), tuple(lines)
    )


def plot_of_survival(curves: Sequence[Curve]) -> Plot:
    """Return the plot of survival curves, one line each, in the order given; an empty curve has no line."""

    def x(day: int) -> float:
        return round(LEFT + (WIDTH - LEFT - SURVIVAL_RIGHT) * day / SURVIVAL_DAYS[-1], 1)

    def y(share: float) -> float:
        return round(TOP + (SURVIVAL_HEIGHT - TOP - BOTTOM) * (1 - share), 1)

    shares = (0.0, 0.5, 1.0)
    labels = [Label(LEFT - 6, y(share) + 4, f"{share * 100:.0f} %", "end") for share in shares]
    for day in (0, *SURVIVAL_DAYS):
        anchor = "end" if day == SURVIVAL_DAYS[-1] else "middle"
        labels.append(Label(x(day), SURVIVAL_HEIGHT - 6, str(day), anchor))
    lines = []
    for place, curve in enumerate(curves):
        if curve:
            # Every family takes part on day 0. A day that is not published has no mark; the line joins its neighbours.
            points = [(x(day), y(share)) for day, share in {0: 1.0, **curve}.items()]
            lines.append(Line(_points(points), tuple(points[1:]), "", colour_of(place), dashes_of(place)))
    return Plot(
        WIDTH, SURVIVAL_HEIGHT, LEFT, SURVIVAL_RIGHT, tuple(y(share) for share in shares), tuple(labels), tuple(lines)
    )


def colour_of(place: int) -> str:
    """Return the colour of the curve at this place of the legend."""
    return COLOURS[place % len(COLOURS)]


def dashes_of(place: int) -> str:
    """Return the dash pattern (SVG stroke-dasharray) of the curve at this place; empty for a solid line."""
    return DASHES[place // len(COLOURS) % len(DASHES)]


def unbroken_runs(cells: Sequence[Cell]) -> list[list[int]]:
    """Return the places of the weeks that are shown, each unbroken run as a list of its own."""
    runs: list[list[int]] = [[]]
    for place, cell in enumerate(cells):
        if cell.value is None:
            runs.append([])
        else:
            runs[-1].append(place)
    return [run for run in runs if run]


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
