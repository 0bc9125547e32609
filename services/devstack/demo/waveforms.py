"""An image of recordings as apps draw them: the 44 bars from the server, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_BAR_PX, _GAP_PX, _HEIGHT_PX, _TITLE_PX, _MARGIN_PX = 8, 4, 72, 28, 16
_LEAST_PX = 3


@dataclass(frozen=True)
class Waveform:
    """One recording: its title and its bars (0 to 100)."""

    title: str
    bars: Sequence[int]


def waveform_svg(waveforms: Sequence[Waveform]) -> str:
    """Return one SVG with the waveforms below one another."""
    row_px = _TITLE_PX + _HEIGHT_PX + _MARGIN_PX
    width_px = 2 * _MARGIN_PX + max((len(waveform.bars) for waveform in waveforms), default=0) * (_BAR_PX + _GAP_PX)
    height_px = _MARGIN_PX + row_px * len(waveforms)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width_px}" height="{height_px}" '
            f'viewBox="0 0 {width_px} {height_px}" font-family="sans-serif" font-size="14">'
        ),
        f'<rect width="{width_px}" height="{height_px}" fill="#ffffff"/>',
    ]
    for row, waveform in enumerate(waveforms):
        top_px = _MARGIN_PX + row * row_px
        parts.append(f'<text x="{_MARGIN_PX}" y="{top_px + 14}" fill="#333333">{escape(waveform.title)}</text>')
        middle_px = top_px + _TITLE_PX + _HEIGHT_PX // 2
        for place, bar in enumerate(waveform.bars):
            bar_px = max(_LEAST_PX, bar * _HEIGHT_PX // 100)
            parts.append(
                f'<rect x="{_MARGIN_PX + place * (_BAR_PX + _GAP_PX)}" y="{middle_px - bar_px // 2}" '
                f'width="{_BAR_PX}" height="{bar_px}" rx="{_BAR_PX // 2}" fill="#2a7f6f"/>'
            )
    return "\n".join([*parts, "</svg>", ""])
