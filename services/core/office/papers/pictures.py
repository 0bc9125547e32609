"""Line drawings of the leaflet: what to do with the watch, readable without words.

Each draws into a box of 44 x 30 mm whose top left corner is given. Vectors: sharp on every printer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from services.core.office.papers.paper import Paper

WIDTH_MM: Final = 44.0
HEIGHT_MM: Final = 30.0
Picture = Callable[[Paper, float, float], None]

_LINE_MM: Final = 0.8
_ACCENT: Final = (166, 63, 23)
_SKIN: Final = (250, 236, 224)
_FACE: Final = (225, 240, 240)


def _watch(page: Paper, left_mm: float, top_mm: float, size_mm: float = 16.0) -> None:
    """Draw a watch with its strap, the face a square of this size with its top left corner here."""
    strap_mm = size_mm * 0.6
    inset_mm = (size_mm - strap_mm) / 2
    length_mm = size_mm * 0.38
    page.set_fill_color(255, 255, 255)
    page.rect(left_mm + inset_mm, top_mm - length_mm, strap_mm, length_mm, style="DF")
    page.rect(left_mm + inset_mm, top_mm + size_mm, strap_mm, length_mm, style="DF")
    page.rect(left_mm, top_mm, size_mm, size_mm, style="DF", round_corners=True, corner_radius=size_mm / 5)
    page.set_fill_color(*_FACE)
    edge_mm = size_mm * 0.14
    inner_mm = size_mm - 2 * edge_mm
    page.rect(
        left_mm + edge_mm, top_mm + edge_mm, inner_mm, inner_mm, style="DF",
        round_corners=True, corner_radius=size_mm / 9,
    )  # fmt: skip


def _finger(page: Paper, tip_mm: float, top_mm: float) -> None:
    """Draw a finger from the right that points left, its tip here."""
    page.set_fill_color(*_SKIN)
    page.rect(tip_mm, top_mm - 2.5, 18, 5, style="DF", round_corners=True, corner_radius=2.4)
    page.set_line_width(0.4)
    page.line(tip_mm + 1.2, top_mm - 1.2, tip_mm + 3.4, top_mm - 1.2)
    page.set_line_width(_LINE_MM)


def charge(page: Paper, left_mm: float, top_mm: float) -> None:
    """Draw a watch on its cable under moon and stars: every evening."""
    _watch(page, left_mm + 4, top_mm + 8, 14)
    page.set_draw_color(*_ACCENT)
    page.line(left_mm + 18, top_mm + 15, left_mm + 29, top_mm + 15)
    page.rect(left_mm + 29, top_mm + 11, 7, 8, style="D", round_corners=True, corner_radius=1.5)
    page.line(left_mm + 36, top_mm + 13, left_mm + 40, top_mm + 13)
    page.line(left_mm + 36, top_mm + 17, left_mm + 40, top_mm + 17)
    page.set_draw_color(0)
    page.set_fill_color(0)
    page.polygon(
        [(left_mm + 12, top_mm + 11), (left_mm + 8, top_mm + 16), (left_mm + 10.6, top_mm + 16),
         (left_mm + 9.6, top_mm + 19.4), (left_mm + 13.6, top_mm + 14.2), (left_mm + 11, top_mm + 14.2)],
        style="F",
    )  # fmt: skip
    # A crescent: a disc, and a disc of paper over its right side.
    page.circle(left_mm + 30, top_mm + 4, 3.4, style="F")
    page.set_fill_color(255, 255, 255)
    page.circle(left_mm + 31.8, top_mm + 3.2, 3.0, style="F")
    page.set_fill_color(0)
    for x_mm, y_mm in ((37.0, 2.0), (40.0, 6.0), (24.5, 2.5)):
        page.circle(left_mm + x_mm, top_mm + y_mm, 0.5, style="F")


def wear(page: Paper, left_mm: float, top_mm: float) -> None:
    """Draw a watch on an arm under the sun: every day."""
    page.set_fill_color(*_SKIN)
    page.rect(left_mm + 1, top_mm + 12, 30, 11, style="F")
    page.rect(left_mm + 30, top_mm + 10, 12, 15, style="DF", round_corners=True, corner_radius=5)
    page.rect(left_mm + 28.5, top_mm + 12.5, 5, 10, style="F")
    page.line(left_mm + 1, top_mm + 12, left_mm + 31.5, top_mm + 12)
    page.line(left_mm + 1, top_mm + 23, left_mm + 31.5, top_mm + 23)
    _watch(page, left_mm + 10, top_mm + 10.5, 14)
    page.set_draw_color(*_ACCENT)
    page.circle(left_mm + 38, top_mm + 4, 2.4, style="D")
    for ray in range(8):
        x, y = math.cos(ray * math.pi / 4), math.sin(ray * math.pi / 4)
        page.line(left_mm + 38 + 3.2 * x, top_mm + 4 + 3.2 * y, left_mm + 38 + 4.4 * x, top_mm + 4 + 4.4 * y)
    page.set_draw_color(0)


def talk(page: Paper, left_mm: float, top_mm: float) -> None:
    """Draw a finger that holds the button of a watch, and sound that leaves it."""
    _watch(page, left_mm + 12, top_mm + 7, 16)
    page.set_fill_color(*_ACCENT)
    page.circle(left_mm + 20, top_mm + 15, 3, style="DF")
    _finger(page, left_mm + 21, top_mm + 15)
    page.set_draw_color(*_ACCENT)
    for reach_mm in (3.0, 6.0, 9.0):
        page.arc(left_mm + 12 - reach_mm, top_mm + 15 - reach_mm, 2 * reach_mm, 140, 220, style="D")
    page.set_draw_color(0)


def call_for_help(page: Paper, left_mm: float, top_mm: float) -> None:
    """Draw a finger on a watch that shows SOS, and a clock of three seconds."""
    _watch(page, left_mm + 2, top_mm + 6, 18)
    page.set_text_color(*_ACCENT)
    page.use_font(13, bold=True)
    page.set_xy(left_mm + 2, top_mm + 11.5)
    page.cell(18, 7, "SOS", align="C")
    page.set_text_color(0)
    _finger(page, left_mm + 18, top_mm + 20)
    page.circle(left_mm + 35, top_mm + 8, 6, style="D")
    page.use_font(13, bold=True)
    page.set_xy(left_mm + 29, top_mm + 4.5)
    page.cell(12, 7, "3 s", align="C")


def call_office(page: Paper, left_mm: float, top_mm: float) -> None:
    """Draw a phone that rings."""
    page.set_fill_color(255, 255, 255)
    page.rect(left_mm + 14, top_mm + 1, 15, 27, style="DF", round_corners=True, corner_radius=2.5)
    page.set_fill_color(*_FACE)
    page.rect(left_mm + 16, top_mm + 4, 11, 18, style="DF")
    page.set_fill_color(0)
    page.circle(left_mm + 21.5, top_mm + 25, 0.9, style="F")
    page.set_draw_color(*_ACCENT)
    page.set_fill_color(*_ACCENT)
    page.circle(left_mm + 21.5, top_mm + 13, 3, style="F")
    for reach_mm in (3.0, 6.0):
        page.arc(left_mm + 31 - reach_mm, top_mm + 12 - reach_mm, 2 * reach_mm, 320, 40, style="D")
        page.arc(left_mm + 12 - reach_mm, top_mm + 12 - reach_mm, 2 * reach_mm, 140, 220, style="D")
    page.set_draw_color(0)
